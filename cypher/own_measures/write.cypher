// answers: Keeps a measure of an analyst; written again, its values of before go.
// parameter: name STRING its name
// parameter: meaning STRING what it measures
// parameter: graph_version INTEGER version of the graph that it was computed on
// column: written_at ZONED DATETIME when it was written
// mode: write
// index: own_measure_name
MERGE (m:OwnMeasure {name: $name})
SET m.meaning = $meaning, m.graph_version = $graph_version, m.written_at = datetime()
WITH m
CALL (m) {
  MATCH (m)<-[v:MEASURED]-()
  DELETE v
}
RETURN m.written_at AS written_at
