// answers: Nothing that this run published is to be read any more, unless it is the current one.
// parameter: id STRING the run's id
// column: id STRING the run's id; no row where it is current
// mode: write
// index: run_id
MATCH (r:Run {id: $id})
WHERE NOT EXISTS { MATCH (c:Current {id: 1}) WHERE c.run = r.id }
SET r.removed_at = coalesce(r.removed_at, datetime())
RETURN r.id AS id
