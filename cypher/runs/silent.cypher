// answers: Which running runs have not given a sign of life for some time?
// parameter: seconds INTEGER how long, in seconds
// column: id STRING the run's id
// mode: read
// index: run_state
MATCH (r:Run {state: 'running'})
WHERE r.heartbeat_at < datetime() - duration({seconds: $seconds})
RETURN r.id AS id
ORDER BY r.id
