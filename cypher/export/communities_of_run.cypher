// answers: What did a run find of each of its communities, and of the groups that they are part of?
// parameter: run STRING the run's id
// column: community MAP properties of the community or group
// column: part_of STRING id of the group of the next level that it is part of, null where there is none
// mode: read
// index: run_id
MATCH (r:Run {id: $run})-[:FOUND]->(c:Community)
RETURN c {.*} AS community, head([(c)-[:PART_OF]->(g:Community)<-[:FOUND]-(r) | g.id]) AS part_of
ORDER BY c.level, c.size DESC, c.id
