// answers: Remove the communities of a run, once it has no memberships. Commits in batches: run it outside a transaction.
// parameter: run STRING the run's id
// mode: write
// index: community_run
MATCH (c:Community {run: $run})
CALL (c) {
  DETACH DELETE c
} IN TRANSACTIONS OF 10000 ROWS
