// answers: Which keys of the HTTP API are there? In the order in which they were made.
// column: id STRING the part of the key that may be shown
// column: name STRING what it is called
// column: scopes LIST<STRING> what it may do
// column: brands LIST<STRING> keys of the brands it may see; null for all
// column: sha256 STRING SHA-256 of the key, in hexadecimal
// column: created_at INTEGER when it was made, in milliseconds since 1970 UTC
// column: last_used_at INTEGER when it was last used, likewise
// column: revoked_at INTEGER when it was revoked, likewise
// mode: read
// index: api_key_id
MATCH (k:ApiKey)
USING INDEX k:ApiKey(id)
WHERE k.id >= ''
RETURN
  k.id AS id, k.name AS name, k.scopes AS scopes, k.brands AS brands, k.sha256 AS sha256,
  k.created_at.epochMillis AS created_at, k.last_used_at.epochMillis AS last_used_at,
  k.revoked_at.epochMillis AS revoked_at
ORDER BY created_at, id
