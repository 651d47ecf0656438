// answers: Makes a source, unless there is one of this name.
// parameter: name STRING name of the source
// parameter: network STRING where accounts live that do not say so
// parameter: platform STRING whose adapter reads what it pushes; null: it pushes events of ours
// parameter: mapping STRING what the adapter reads by, as JSON
// parameter: ids LIST<STRING> ids of its secrets; parallel with the lists below
// parameter: sealed LIST<STRING> the secrets, sealed
// parameter: created LIST<INTEGER> when they were made, in milliseconds since 1970 UTC
// column: created BOOLEAN whether it was made
// mode: write
// index: source_name
MERGE (s:Source {name: $name})
WITH s, s.created_at IS NULL AS created
CALL (s, created) {
  WITH s WHERE created
  SET s.network = $network, s.platform = $platform, s.mapping = $mapping
  SET s.disabled = false, s.created_at = datetime()
  WITH s
  UNWIND range(0, size($ids) - 1) AS i
  CREATE (s)-[:HAS_SECRET]->(:SourceSecret {id: $ids[i], sealed: $sealed[i], created_at: datetime({epochMillis: $created[i]}), place: i})
}
RETURN created
