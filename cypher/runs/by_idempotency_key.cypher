// answers: Which run was asked for with this Idempotency-Key?
// parameter: idempotency_key STRING the key
// column: id STRING the run's id; no row where the key is new
// column: request_digest STRING digest of the request that came with the key
// mode: read
// index: run_idempotency_key
MATCH (r:Run {idempotency_key: $idempotency_key})
RETURN r.id AS id, r.request_digest AS request_digest
