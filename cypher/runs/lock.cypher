// answers: Lock a run until the transaction ends, and say in what state it is then. First in all that changes a run.
// parameter: id STRING the run's id
// column: state STRING queued, running, done, failed or cancelled
// column: digest STRING what it published; null before it is done
// column: token INTEGER which claim of the graph its last one is; null while it is queued
// column: attempts INTEGER how often it was begun, but for attempts that ended with their service in order
// column: cancel_asked BOOLEAN whether it is to be cancelled
// column: silent_s INTEGER seconds since its last heartbeat; null before it was claimed
// mode: write
// index: run_id
MATCH (r:Run {id: $id})
SET r.lock = 1
WITH r
RETURN
  r.state AS state, r.digest AS digest, r.token AS token, coalesce(r.attempts, 0) AS attempts,
  r.cancel_asked_at IS NOT NULL AS cancel_asked,
  duration.inSeconds(r.heartbeat_at, datetime()).seconds AS silent_s
