// answers: Who backs an account, since when, and by how much?
// parameter: run STRING the run's id
// parameter: key STRING the account's key
// column: account STRING key of who endorses it
// column: handle STRING handle of the same, null where unknown
// column: hidden BOOLEAN whether it opted out: it may not be named
// column: at ZONED DATETIME since when: of several topics the earliest; null where unknown
// column: weight FLOAT what the endorsement adds to a price; null where the run does not say
// column: counts BOOLEAN whether it does: not on a cycle of endorsements
// mode: read
// index: account_key
// index: run_id
MATCH (a:Account {key: $key})
USING INDEX a:Account(key)
MATCH (r:Run {id: $run})
USING INDEX r:Run(id)
MATCH (a)-[own:SCORED]->(r)
// From who endorses to the run, and not from the run to all accounts.
WITH a, r, own
MATCH (j:Account)-[e:ENDORSES]->(a)
WHERE j <> a
WITH a, r, own, j, min(e.at) AS at
MATCH (j)-[s:SCORED]->(r)
RETURN
  j.key AS account, j.handle AS handle, coalesce(j.opted_out, false) AS hidden, at, s.market_weight AS weight,
  coalesce(s.endorsement_ring <> own.endorsement_ring, true) AS counts
ORDER BY weight DESC, account
