// answers: Remove communities of a run, once they have no memberships, that no run which is kept has, too; but of a published run those that were found, for their lineage. Commits in batches: run it outside a transaction.
// parameter: run STRING the run's id
// mode: write
// index: run_id
MATCH (r:Run {id: $run})-[:FOUND]->(c:Community)
WHERE NOT (r.publish AND c.level = 0 AND c.kind = 'found')
  AND NOT EXISTS { MATCH (c)<-[:FOUND]-(o:Run) WHERE o.removed_at IS NULL }
CALL (c) {
  DETACH DELETE c
} IN TRANSACTIONS OF 10000 ROWS
