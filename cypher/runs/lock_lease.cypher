// answers: Lock the lease until the transaction ends, and say which run has it. First in all that claims a run.
// column: run STRING id of the run that was claimed last, where it is still running; else null, and the lease is free
// column: silent_s INTEGER seconds since that run's last heartbeat
// mode: write
// index: lease_id
// index: run_id
MERGE (l:Lease {id: 1})
ON CREATE SET l.token = 0
SET l.lock = 1
WITH l
OPTIONAL MATCH (r:Run {id: l.run})
WHERE r.state = 'running'
RETURN r.id AS run, duration.inSeconds(r.heartbeat_at, datetime()).seconds AS silent_s
