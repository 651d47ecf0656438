// answers: Which published run finished last before another one?
// parameter: run STRING id of the other one
// column: id STRING the run's id; no row where there is none
// mode: read
// index: run_id
// index: run_state
MATCH (r:Run {id: $run})
MATCH (p:Run {state: 'done'})
USING INDEX p:Run(state)
WHERE p.publish AND p.backtest IS NULL AND p.id <> r.id AND p.finished_at < r.finished_at
RETURN p.id AS id
ORDER BY p.finished_at DESC, p.id DESC
LIMIT 1
