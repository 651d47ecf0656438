// answers: Which accounts were in which community of a run? Those that are still there, by number.
// parameter: run STRING the run's id
// column: id STRING the community's id
// column: written STRING the run that its node names: the latest that found it like this
// column: size INTEGER accounts it had then
// column: members LIST<INTEGER> numbers of those that are still there
// mode: read
// index: run_id
MATCH (:Run {id: $run})-[:FOUND]->(c:Community {level: 0, kind: 'found'})
RETURN
  c.id AS id,
  c.run AS written,
  c.size AS size,
  COLLECT { MATCH (a:Account)-[m:MEMBER_OF {primary: true}]->(c) WHERE a.n IS NOT NULL RETURN a.n } AS members
ORDER BY id
