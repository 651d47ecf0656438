// answers: Remove the memberships of a run. Commits in batches: run it outside a transaction.
// parameter: run STRING the run's id
// mode: write
// index: community_run
MATCH (c:Community {run: $run})<-[m:MEMBER_OF]-()
CALL (m) {
  DELETE m
} IN TRANSACTIONS OF 10000 ROWS
