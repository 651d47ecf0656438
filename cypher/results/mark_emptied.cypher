// answers: Nothing is left of what a run published, whose removal was marked before.
// parameter: id STRING the run's id
// mode: write
// index: run_id
MATCH (r:Run {id: $id})
SET r.emptied = true
