// answers: Write what a run, locked before, starts from.
// parameter: id STRING the run's id
// parameter: start STRING id of another run, or cold
// mode: write
// index: run_id
MATCH (r:Run {id: $id})
SET r.start = $start
