// answers: Which run do readers see, how old is it, and at which version is the graph now?
// column: run STRING the run's id; null before the first run was published
// column: as_of ZONED DATETIME latest event time that it saw; null where nothing has a time
// column: finished_at ZONED DATETIME when it was done
// column: graph_version INTEGER version of the graph that it saw
// column: graph_version_now INTEGER version of the graph now
// mode: read
// index: graph_id
// index: run_id
MATCH (g:Graph {id: 1})
OPTIONAL MATCH (c:Current {id: 1})
OPTIONAL MATCH (r:Run {id: c.run})
RETURN
  r.id AS run, r.as_of AS as_of, r.finished_at AS finished_at,
  r.graph_version AS graph_version, g.v AS graph_version_now
