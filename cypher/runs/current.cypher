// answers: Which run do readers see by default?
// column: id STRING the run's id; no row before the first run was published
// column: names_v INTEGER raised with each name that people give to a community; null before the first
// mode: read
// index: current_id
MATCH (c:Current {id: 1})
WHERE c.run IS NOT NULL
RETURN c.run AS id, c.names_v AS names_v
