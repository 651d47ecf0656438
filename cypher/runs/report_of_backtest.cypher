// answers: What did a back-test find?
// parameter: id STRING the run's id
// column: report STRING JSON; null before it is done
// mode: read
// index: run_id
MATCH (r:Run {id: $id})
RETURN r.report AS report
