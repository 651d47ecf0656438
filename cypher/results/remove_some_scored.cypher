// answers: Remove some of what the lenses of a run say of accounts; as long as there was any, more may be left.
// parameter: run STRING the run's id
// column: removed INTEGER of how many accounts it was
// mode: write
// index: run_id
MATCH (:Run {id: $run})<-[s:SCORED]-()
WITH s LIMIT 10000
DELETE s
RETURN count(*) AS removed
