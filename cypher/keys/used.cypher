// answers: Notes when keys of the HTTP API were last used; the latest time stands. The lists are parallel.
// parameter: ids LIST<STRING> the parts of the keys that may be shown
// parameter: times LIST<INTEGER> when, in milliseconds since 1970 UTC
// mode: write
// index: api_key_id
UNWIND range(0, size($ids) - 1) AS i
MATCH (k:ApiKey {id: $ids[i]})
WHERE k.last_used_at IS NULL OR k.last_used_at.epochMillis < $times[i]
SET k.last_used_at = datetime({epochMillis: $times[i]})
