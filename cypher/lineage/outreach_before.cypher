// answers: How much outreach did accounts have in a run? Those that have any and are still there, by number.
// parameter: run STRING the run's id
// parameter: step INTEGER how many accounts a row
// column: members LIST<INTEGER> numbers of accounts
// column: outreach LIST<INTEGER> of each of them, in points
// mode: read
// index: run_id
MATCH (:Run {id: $run})<-[s:SCORED]-(a:Account)
WHERE s.outreach > 0 AND a.n IS NOT NULL
WITH a.n / $step AS some, collect(a.n) AS members, collect(s.outreach) AS outreach
RETURN members, outreach
