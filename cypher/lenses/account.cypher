// answers: What do the lenses of a run say of an account, and in which community is it?
// parameter: run STRING the run's id
// parameter: key STRING the account's key
// column: account MAP key, handle, opted_out
// column: scored MAP what lenses say; null where the run says nothing of it
// column: removed BOOLEAN whether what the run found was removed
// column: label STRING label of its community; null where it is in none
// mode: read
// index: account_key
// index: run_id
MATCH (a:Account {key: $key})
USING INDEX a:Account(key)
MATCH (r:Run {id: $run})
USING INDEX r:Run(id)
OPTIONAL MATCH (a)-[s:SCORED]->(r)
RETURN
  a {.key, .handle, opted_out: coalesce(a.opted_out, false)} AS account,
  s {.*} AS scored,
  r.removed_at IS NOT NULL AS removed,
  head(COLLECT { MATCH (r)-[:FOUND]->(c:Community {id: s.community, level: 0}) RETURN c.label }) AS label
