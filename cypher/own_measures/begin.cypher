// answers: Begins a measure of an analyst: nobody sees it until it is finished.
// parameter: name STRING what it is called until then
// parameter: meaning STRING what it measures
// parameter: graph_version INTEGER version of the graph that it was computed on
// column: created INTEGER 1
// mode: write
CREATE (m:OwnMeasure {
  name: $name, meaning: $meaning, graph_version: $graph_version, written_at: datetime(), pending: true
})
RETURN count(m) AS created
