// answers: What do the lenses of runs say of an account?
// parameter: key STRING the account's key
// column: run STRING id of the run
// column: scored MAP properties of what it says
// mode: read
// index: account_key
MATCH (:Account {key: $key})-[s:SCORED]->(r:Run)
RETURN r.id AS run, s {.*} AS scored
ORDER BY r.finished_at, run
