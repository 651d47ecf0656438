// answers: Remove some of the published files of a run; as long as there were any, more may be left.
// parameter: run STRING the run's id
// column: removed INTEGER how many it were
// mode: write
// index: run_file_run
MATCH (f:RunFile {run: $run})
WITH f LIMIT 100
DELETE f
RETURN count(*) AS removed
