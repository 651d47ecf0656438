// answers: Which runs failed, or were cancelled, and left something behind?
// column: id STRING the run's id
// mode: read
// index: run_state
// index: community_run
// index: run_file_run
MATCH (r:Run)
WHERE r.state IN ['failed', 'cancelled']
  AND (EXISTS { (:Community {run: r.id}) } OR EXISTS { (:RunFile {run: r.id}) })
RETURN r.id AS id
ORDER BY r.id
