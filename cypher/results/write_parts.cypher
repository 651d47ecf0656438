// answers: Say which communities of a run are part of which group of the next level, or say it again.
// parameter: run STRING the run's id
// parameter: rows LIST<MAP> parts: part STRING, whole STRING, ids of both
// column: written INTEGER relationships that there are
// mode: write
// index: community_id_run
UNWIND $rows AS row
MATCH (part:Community {id: row.part, run: $run})
MATCH (whole:Community {id: row.whole, run: $run})
MERGE (part)-[p:PART_OF]->(whole)
RETURN count(p) AS written
