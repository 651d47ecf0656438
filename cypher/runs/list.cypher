// answers: Which runs are there, those asked for last first, without back-tests?
// parameter: state STRING only those in this state; null for all
// parameter: before STRING id of a run: only those that come after it in this order; null to begin
// parameter: limit INTEGER how many at most
// column: run MAP all properties of the run
// column: current BOOLEAN whether readers see this run by default
// mode: read
// index: run_id
// index: current_id
OPTIONAL MATCH (b:Run {id: $before})
OPTIONAL MATCH (c:Current {id: 1})
MATCH (r:Run)
USING INDEX r:Run(id)
WHERE r.id > '' AND r.backtest IS NULL AND ($state IS NULL OR r.state = $state)
  AND (b IS NULL OR r.created_at < b.created_at OR (r.created_at = b.created_at AND r.id < b.id))
WITH r, c
ORDER BY r.created_at DESC, r.id DESC
LIMIT $limit
RETURN r {.*} AS run, coalesce(c.run = r.id, false) AS current
