// answers: Put a running run, locked before, back in the queue, where it has the place it had.
// parameter: id STRING the run's id
// parameter: attempts INTEGER how many of its attempts count from now on
// mode: write
// index: run_id
MATCH (r:Run {id: $id})
SET r.state = 'queued', r.stage = 'queued', r.attempts = $attempts, r.progress = null, r.token = null,
  r.started_at = null, r.heartbeat_at = null, r.start = null
