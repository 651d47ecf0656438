// answers: Which runs are running?
// column: id STRING the run's id
// mode: read
// index: run_state
MATCH (r:Run {state: 'running'})
RETURN r.id AS id
ORDER BY id
