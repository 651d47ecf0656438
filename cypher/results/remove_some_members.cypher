// answers: Remove some of the memberships of a run; as long as there were any, more may be left.
// parameter: run STRING the run's id
// column: removed INTEGER how many it were
// mode: write
// index: community_run
MATCH (c:Community {run: $run})<-[m:MEMBER_OF]-()
WITH m LIMIT 10000
DELETE m
RETURN count(*) AS removed
