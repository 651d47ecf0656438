// answers: Which measures did analysts write to the graph?
// column: name STRING its name
// column: meaning STRING what it measures
// column: graph_version INTEGER version of the graph that it was computed on
// column: written_at ZONED DATETIME when it was written last
// column: accounts INTEGER accounts that have a value now
// mode: read
// index: own_measure_name
MATCH (m:OwnMeasure)
USING INDEX m:OwnMeasure(name)
WHERE m.name >= '' AND m.pending IS NULL
RETURN
  m.name AS name, m.meaning AS meaning, m.graph_version AS graph_version, m.written_at AS written_at,
  COUNT { (m)<-[:MEASURED]-() } AS accounts
ORDER BY name
