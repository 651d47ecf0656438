// answers: Which run do readers see by default?
// column: id STRING the run's id; no row before the first run was published
// mode: read
// index: current_id
MATCH (c:Current {id: 1})
WHERE c.run IS NOT NULL
RETURN c.run AS id
