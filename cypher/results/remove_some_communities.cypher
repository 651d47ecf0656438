// answers: Remove some of the communities of a run, once it has no memberships; as long as there were any, more may be left.
// parameter: run STRING the run's id
// column: removed INTEGER how many it were
// mode: write
// index: community_run
MATCH (c:Community {run: $run})
WITH c LIMIT 10000
DETACH DELETE c
RETURN count(*) AS removed
