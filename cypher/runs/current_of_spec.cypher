// answers: Does the current run already say what this specification would find in the graph as it is now?
// parameter: spec STRING canonical JSON of the specification
// column: id STRING the current run's id, where specification and graph version are the same; else no row
// mode: read
// index: current_id
// index: run_id
MATCH (c:Current {id: 1})
MATCH (g:Graph {id: 1})
MATCH (r:Run {id: c.run})
WHERE r.spec = $spec AND r.graph_version = g.v
RETURN r.id AS id
