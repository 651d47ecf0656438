// answers: Of which runs is kept what they published?
// column: id STRING the run's id
// mode: read
// index: run_state
MATCH (r:Run {state: 'done'})
WHERE r.removed_at IS NULL
RETURN r.id AS id
ORDER BY r.finished_at DESC, id
