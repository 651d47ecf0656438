// answers: Which run answers requests with this Idempotency-Key? A new key is for $run; two that come at once wait for each other.
// parameter: idempotency_key STRING the key
// parameter: request_digest STRING digest of the request that came with the key
// parameter: run STRING id of the run that answers where the key is new
// column: run STRING id of the run that answers
// column: request_digest STRING digest of the request that came with the key at first
// mode: write
// index: idempotency_key
MERGE (k:IdempotencyKey {key: $idempotency_key})
ON CREATE SET k.request_digest = $request_digest, k.run = $run
RETURN k.run AS run, k.request_digest AS request_digest
