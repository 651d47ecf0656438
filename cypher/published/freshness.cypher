// answers: Which run do readers see, how old is it, and at which version is the graph now?
// column: run STRING the run's id; null before the first run was published
// column: as_of INTEGER latest event time that it saw, in milliseconds since 1970 UTC; null where nothing has a time
// column: finished_at INTEGER when it was done, likewise
// column: graph_version INTEGER version of the graph that it saw
// column: graph_version_now INTEGER version of the graph now
// mode: read
// index: graph_id
// index: run_id
MATCH (g:Graph {id: 1})
OPTIONAL MATCH (c:Current {id: 1})
OPTIONAL MATCH (r:Run {id: c.run})
RETURN
  r.id AS run, r.as_of.epochMillis AS as_of, r.finished_at.epochMillis AS finished_at,
  r.graph_version AS graph_version, g.v AS graph_version_now
