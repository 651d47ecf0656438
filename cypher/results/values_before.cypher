// answers: Which numbers of the members of some communities of a run are in the graph?
// parameter: run STRING the run's id
// parameter: ids LIST<STRING> ids of the communities
// parameter: names LIST<STRING> properties of memberships
// column: id STRING the community's id
// column: members LIST<INTEGER> numbers of the accounts that were scored in it
// column: values LIST<LIST> of each of them, the properties in their order, NaN where absent
// mode: read
// index: run_id
MATCH (:Run {id: $run})-[:FOUND]->(c:Community)
WHERE c.id IN $ids
CALL (c) {
  MATCH (a:Account)-[m:MEMBER_OF]->(c)
  WHERE m.type IS NOT NULL AND a.n IS NOT NULL
  RETURN
    collect(a.n) AS members,
    collect([name IN $names | coalesce(m[name], toFloat('NaN'))]) AS values
}
RETURN c.id AS id, members, values
