// answers: Queue a run unless one was asked for with this Idempotency-Key. The key's constraint decides between two at once.
// parameter: idempotency_key STRING the key
// parameter: request_digest STRING digest of the request that came with the key
// parameter: id STRING the id a new run gets
// parameter: spec STRING canonical JSON of the specification
// parameter: publish BOOLEAN whether it is to become the run that readers see
// column: id STRING id of the run with this key, $id where it is new
// column: request_digest STRING digest of the request that came with the key at first
// mode: write
// index: run_idempotency_key
MERGE (r:Run {idempotency_key: $idempotency_key})
ON CREATE SET r.request_digest = $request_digest, r.id = $id, r.state = 'queued', r.stage = 'queued',
  r.publish = $publish, r.spec = $spec, r.created_at = datetime()
RETURN r.id AS id, r.request_digest AS request_digest
