// answers: Which erasures are under way?
// column: id STRING id of the erasure
// column: key STRING the account's key
// column: handle STRING its handle, null where it has none
// column: asked_at INTEGER when it was asked for, in milliseconds since 1970 UTC
// column: machines LIST<STRING> ids of the journals of the machines that have nothing of it any more
// mode: read
// index: erasure_key
MATCH (e:Erasure)
USING INDEX e:Erasure(key)
WHERE e.key IS NOT NULL
RETURN e.id AS id, e.key AS key, e.handle AS handle, e.asked_at.epochMillis AS asked_at, e.machines AS machines
ORDER BY id
