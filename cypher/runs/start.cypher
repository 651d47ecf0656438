// answers: Give the lease, locked before, to a queued run, locked before: it is running from now on, with a new token.
// parameter: id STRING the run's id
// mode: write
// index: lease_id
// index: run_id
MATCH (l:Lease {id: 1})
SET l.token = l.token + 1, l.run = $id
WITH l.token AS token
MATCH (r:Run {id: $id})
SET r.state = 'running', r.stage = 'snapshot', r.token = token, r.attempts = coalesce(r.attempts, 0) + 1,
  r.started_at = datetime(), r.heartbeat_at = datetime()
