// answers: Remember that this run was the answer to a request with an Idempotency-Key, unless it has a key already.
// parameter: id STRING the run's id
// parameter: idempotency_key STRING the key
// parameter: request_digest STRING digest of the request that came with the key
// mode: write
// index: run_id
MATCH (r:Run {id: $id})
WHERE r.idempotency_key IS NULL
SET r.idempotency_key = $idempotency_key, r.request_digest = $request_digest
