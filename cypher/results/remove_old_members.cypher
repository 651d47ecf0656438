// answers: Remove the memberships of a run that no run which is kept has, too. Commits in batches: run it outside a transaction.
// parameter: run STRING the run's id
// mode: write
// index: run_id
MATCH (:Run {id: $run})-[:FOUND]->(c:Community)
WHERE NOT EXISTS { MATCH (c)<-[:FOUND]-(o:Run) WHERE o.removed_at IS NULL }
MATCH (c)<-[m:MEMBER_OF]-()
CALL (m) {
  DELETE m
} IN TRANSACTIONS OF 10000 ROWS
