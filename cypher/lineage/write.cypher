// answers: Say which communities of the run before a community comes from, or say it again.
// parameter: run STRING the run's id
// parameter: rows LIST<MAP> id STRING of the community; predecessor STRING and written STRING, id and run of the other; relation STRING continues, merges or splits; properties MAP
// column: written INTEGER relationships that there are
// mode: write
// index: community_id_run
UNWIND $rows AS row
MATCH (c:Community {id: row.id, run: $run})
MATCH (p:Community {id: row.predecessor, run: row.written})
FOREACH (_ IN CASE row.relation WHEN 'continues' THEN [1] ELSE [] END |
  MERGE (c)-[r:CONTINUES]->(p)
  SET r += row.properties)
FOREACH (_ IN CASE row.relation WHEN 'merges' THEN [1] ELSE [] END |
  MERGE (c)-[r:MERGES]->(p)
  SET r += row.properties)
FOREACH (_ IN CASE row.relation WHEN 'splits' THEN [1] ELSE [] END |
  MERGE (c)-[r:SPLITS]->(p)
  SET r += row.properties)
RETURN count(*) AS written
