// answers: Write what the lenses of a run say of accounts, or write it again.
// parameter: run STRING the run's id
// parameter: rows LIST<MAP> accounts: key STRING, properties MAP
// column: written INTEGER accounts it was written of; fewer than rows where some have gone since the snapshot
// mode: write
// index: run_id
// index: account_key
MATCH (r:Run {id: $run})
UNWIND $rows AS row
MATCH (a:Account {key: row.key})
USING INDEX a:Account(key)
MERGE (a)-[s:SCORED]->(r)
SET s += row.properties
RETURN count(s) AS written
