// answers: Write communities of a run, or write them again.
// parameter: run STRING the run's id
// parameter: rows LIST<MAP> communities: id STRING, properties MAP
// column: written INTEGER communities written
// mode: write
// index: community_id_run
UNWIND $rows AS row
MERGE (c:Community {id: row.id, run: $run})
SET c += row.properties
RETURN count(c) AS written
