// answers: Remove the published files of a run. Commits in batches: run it outside a transaction.
// parameter: run STRING the run's id
// mode: write
// index: run_file_run
MATCH (f:RunFile {run: $run})
CALL (f) {
  DELETE f
} IN TRANSACTIONS OF 100 ROWS
