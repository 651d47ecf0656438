// answers: Write communities of a run, or write them again.
// parameter: run STRING the run's id
// parameter: rows LIST<MAP> communities: id STRING, properties MAP
// column: written INTEGER communities written
// mode: write
// index: run_id
// index: community_id_run
MATCH (r:Run {id: $run})
UNWIND $rows AS row
MERGE (c:Community {id: row.id, run: $run})
SET c += row.properties
MERGE (r)-[:FOUND]->(c)
RETURN count(c) AS written
