// Data: keys that were kept on runs become nodes; whatever a key's node says already stands.
MATCH (r:Run)
WHERE r.idempotency_key IS NOT NULL
MERGE (k:IdempotencyKey {key: r.idempotency_key})
ON CREATE SET k.request_digest = r.request_digest, k.run = r.id
REMOVE r.idempotency_key, r.request_digest;
