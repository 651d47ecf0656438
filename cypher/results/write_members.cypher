// answers: Write who belongs to which community in a run, with type and score, or write it again.
// parameter: run STRING the run's id
// parameter: rows LIST<MAP> members: key STRING of the account, community STRING its id, properties MAP
// column: written INTEGER memberships written; fewer than rows where accounts have gone since the snapshot
// mode: write
// index: account_key
// index: community_id_run
UNWIND $rows AS row
MATCH (a:Account {key: row.key})
USING INDEX a:Account(key)
MATCH (c:Community {id: row.community, run: $run})
USING INDEX c:Community(id, run)
// A community belongs to one run, so the pair says all. With {run: $run} here, Neo4j looks through the whole run.
MERGE (a)-[m:MEMBER_OF]->(c)
SET m += row.properties
RETURN count(m) AS written
