// answers: Say how far a running run, locked before, has come; this is its heartbeat too.
// parameter: id STRING the run's id
// parameter: stage STRING what it does now
// parameter: progress FLOAT share of the stage that is done; null where unknown
// mode: write
// index: run_id
MATCH (r:Run {id: $id})
SET r.stage = $stage, r.progress = $progress, r.heartbeat_at = datetime()
