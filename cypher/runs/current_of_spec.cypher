// answers: Does the current run already say what this specification would find in the graph as it is now?
// parameter: question STRING canonical JSON of the specification without `start`
// parameter: start STRING what it is to start from; null where that does not matter
// column: id STRING the current run's id, where specification and graph version are the same; else no row
// mode: read
// index: current_id
// index: run_id
MATCH (c:Current {id: 1})
MATCH (g:Graph {id: 1})
MATCH (r:Run {id: c.run})
WHERE r.question = $question AND r.graph_version = g.v
  AND ($start IS NULL OR r.id = $start OR r.start = $start)
RETURN r.id AS id
