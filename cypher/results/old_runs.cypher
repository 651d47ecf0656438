// answers: Which analyses that are done are not among the latest, or too old, and neither the current one nor what another one is to start from? Those that are removed already are not among them, unless that was cut off.
// parameter: most INTEGER how many of the latest are kept; null: all
// parameter: before ZONED DATETIME when those that are kept ended at the earliest; null: at any time
// column: id STRING the run's id
// mode: read
// index: run_state
// index: current_id
MATCH (r:Run {state: 'done'})
WHERE r.backtest IS NULL AND r.emptied IS NULL
// What was begun is ended, however many are kept now.
WITH r ORDER BY r.removed_at IS NULL DESC, r.finished_at DESC, r.id DESC
WITH collect(r) AS found
WITH [
  k IN range(0, size(found) - 1)
  WHERE k >= $most OR found[k].finished_at < $before OR found[k].removed_at IS NOT NULL | found[k]
] AS old
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
