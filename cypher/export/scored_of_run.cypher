// answers: What do the lenses of a run say of each account? In order of the accounts' keys; without those that opted out.
// parameter: run STRING the run's id
// column: account STRING key of the account
// column: scored MAP properties of the relationship SCORED
// mode: read
// index: account_key
MATCH (a:Account)
USING INDEX a:Account(key)
WHERE a.key >= '' AND NOT coalesce(a.opted_out, false)
WITH a
ORDER BY a.key
MATCH (a)-[s:SCORED]->(:Run {id: $run})
RETURN a.key AS account, s {.*} AS scored
