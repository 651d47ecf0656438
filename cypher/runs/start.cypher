// answers: Mark a queued run, locked before, as running.
// parameter: id STRING the run's id
// mode: write
// index: run_id
MATCH (r:Run {id: $id})
SET r.state = 'running', r.stage = 'snapshot', r.started_at = datetime(), r.heartbeat_at = datetime()
