// answers: Lock a run until the transaction ends, and say in what state it is then. First in all that changes a run.
// parameter: id STRING the run's id
// column: state STRING queued, running, done or failed
// column: digest STRING what it published; null before it is done
// column: silent_s INTEGER seconds since its last heartbeat; null before it was claimed
// mode: write
// index: run_id
MATCH (r:Run {id: $id})
SET r.lock = 1
WITH r
RETURN r.state AS state, r.digest AS digest, duration.inSeconds(r.heartbeat_at, datetime()).seconds AS silent_s
