// answers: Revokes a key of the HTTP API; of one that is revoked already the time stays.
// parameter: id STRING the part of the key that may be shown
// parameter: at INTEGER when, in milliseconds since 1970 UTC
// column: id STRING the same, where there is such a key
// mode: write
// index: api_key_id
MATCH (k:ApiKey {id: $id})
SET k.revoked_at = coalesce(k.revoked_at, datetime({epochMillis: $at}))
RETURN k.id AS id
