// answers: Ask that a running run, locked before, be cancelled; whoever watches over its process does it.
// parameter: id STRING the run's id
// mode: write
// index: run_id
MATCH (r:Run {id: $id})
SET r.cancel_asked_at = coalesce(r.cancel_asked_at, datetime())
