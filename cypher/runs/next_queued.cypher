// answers: Which queued run has waited longest?
// column: id STRING the run's id; no row where none is queued
// mode: read
// index: run_state
MATCH (r:Run {state: 'queued'})
RETURN r.id AS id
ORDER BY r.created_at, r.id
LIMIT 1
