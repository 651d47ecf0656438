// answers: Mark a running run, locked before, as done.
// parameter: id STRING the run's id
// parameter: quality STRING JSON of what it found as a whole
// parameter: digest STRING SHA-256 over what it published
// parameter: as_of ZONED DATETIME latest event time; null where nothing has a time
// parameter: graph_version INTEGER version of the graph it analysed
// mode: write
// index: run_id
MATCH (r:Run {id: $id})
SET r.state = 'done', r.stage = 'done', r.progress = 1.0, r.quality = $quality, r.digest = $digest, r.as_of = $as_of,
  r.graph_version = $graph_version, r.finished_at = datetime()
