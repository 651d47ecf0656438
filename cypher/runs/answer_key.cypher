// answers: Let another run answer an Idempotency-Key that was new in this transaction.
// parameter: idempotency_key STRING the key
// parameter: run STRING id of the run that answers
// mode: write
// index: idempotency_key
MATCH (k:IdempotencyKey {key: $idempotency_key})
SET k.run = $run
