// answers: Mark a running back-test, locked before, as done, with its report.
// parameter: id STRING the run's id
// parameter: report STRING JSON of what it found
// parameter: graph_version INTEGER version of the graph that it looked at
// mode: write
// index: run_id
MATCH (r:Run {id: $id})
SET r.state = 'done', r.stage = 'done', r.progress = 1.0, r.report = $report, r.graph_version = $graph_version,
  r.finished_at = datetime()
