// answers: Which analyses that are done are not among the latest, and neither the current one nor what another one is to start from?
// parameter: most INTEGER how many of the latest are kept
// column: id STRING the run's id
// mode: read
// index: run_state
// index: current_id
MATCH (r:Run {state: 'done'})
WHERE r.backtest IS NULL AND r.removed_at IS NULL
WITH r ORDER BY r.finished_at DESC, r.id DESC
SKIP $most
WITH collect(r) AS old
OPTIONAL MATCH (c:Current {id: 1})
UNWIND old AS r
WITH r, c
WHERE (c.run IS NULL OR c.run <> r.id)
  AND NOT EXISTS {
    MATCH (q:Run)
    WHERE q.state IN ['queued', 'running'] AND (q.start = r.id OR q.spec CONTAINS '"start":"' + r.id + '"')
  }
RETURN r.id AS id
ORDER BY id
