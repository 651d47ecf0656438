// answers: Which accounts were in which community of a run, and how sure was that? Those that are still there, by number.
// parameter: run STRING the run's id
// column: id STRING the community's id
// column: written STRING the run that its node names: the latest that found it like this
// column: size INTEGER accounts it had then
// column: members LIST<INTEGER> numbers of those that are still there
// column: confidence LIST<FLOAT> of each of them, NaN where it is not known
// mode: read
// index: run_id
MATCH (:Run {id: $run})-[:FOUND]->(c:Community {level: 0, kind: 'found'})
CALL (c) {
  MATCH (a:Account)-[m:MEMBER_OF {primary: true}]->(c)
  WHERE a.n IS NOT NULL
  // collect() leaves out nulls, and the columns would no longer be parallel.
  RETURN collect(a.n) AS members, collect(coalesce(m.confidence, toFloat('NaN'))) AS confidence
}
RETURN c.id AS id, c.run AS written, c.size AS size, members, confidence
ORDER BY id
