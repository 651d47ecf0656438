// answers: Says whether a source may push events, how they are read, and with which secrets: those not named are gone.
// parameter: name STRING name of the source
// parameter: mapping STRING what the adapter of its platform reads by, as JSON
// parameter: disabled BOOLEAN whether it may not push any more
// parameter: ids LIST<STRING> ids of its secrets, the latest first; parallel with the lists below
// parameter: sealed LIST<STRING> the secrets, sealed
// parameter: created LIST<INTEGER> when they were made, in milliseconds since 1970 UTC
// column: name STRING name of the source, where there is one
// mode: write
// index: source_name
MATCH (s:Source {name: $name})
SET s.disabled = $disabled, s.mapping = $mapping
WITH s
CALL (s) {
  MATCH (s)-[:HAS_SECRET]->(old:SourceSecret)
  WHERE NOT old.id IN $ids
  DETACH DELETE old
}
CALL (s) {
  UNWIND range(0, size($ids) - 1) AS i
  MERGE (s)-[:HAS_SECRET]->(x:SourceSecret {id: $ids[i]})
  ON CREATE SET x.sealed = $sealed[i], x.created_at = datetime({epochMillis: $created[i]})
  SET x.place = i
}
RETURN s.name AS name
