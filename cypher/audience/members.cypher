// answers: Who is a member of a community of a run, found or defined?
// parameter: run STRING the run's id
// parameter: id STRING the community's id
// parameter: most INTEGER how many at most
// column: keys LIST<STRING> keys of the members, in no order
// mode: read
// index: run_id
MATCH (r:Run {id: $run})
USING INDEX r:Run(id)
MATCH (r)-[:FOUND]->(c:Community)
WHERE c.id = $id
// Members have in_base; who belongs to it second has not.
MATCH (j:Account)-[m:MEMBER_OF]->(c)
WHERE m.in_base IS NOT NULL
WITH DISTINCT j LIMIT $most
RETURN collect(j.key) AS keys
