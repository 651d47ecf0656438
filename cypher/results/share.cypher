// answers: Communities whose memberships a run found as an earlier one had written them belong to both from now on, and say what the later one found.
// parameter: run STRING the later run's id
// parameter: rows LIST<MAP> communities: id STRING, run STRING that the node names, properties MAP, part_of STRING id of their group in the later run, null for none
// column: shared INTEGER communities that both have
// mode: write
// index: run_id
// index: community_id_run
MATCH (r:Run {id: $run})
UNWIND $rows AS row
MATCH (c:Community {id: row.id, run: row.run})
SET c += row.properties, c.run = $run
MERGE (r)-[:FOUND]->(c)
WITH c, row
CALL (c) {
  OPTIONAL MATCH (c)-[p:PART_OF]->()
  DELETE p
}
CALL (c, row) {
  MATCH (g:Community {id: row.part_of, run: $run})
  MERGE (c)-[:PART_OF]->(g)
}
RETURN count(c) AS shared
