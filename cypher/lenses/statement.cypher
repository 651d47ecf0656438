// answers: Which interactions of other members of its community with an account gave it standing in a run?
// parameter: run STRING the run's id
// parameter: key STRING the account's key
// parameter: first DATE the first day that counts
// parameter: last DATE the last day that counts
// column: actor STRING key of who did it
// column: handle STRING handle of the same, null where unknown
// column: hidden BOOLEAN whether it opted out: it may not be named
// column: weight INTEGER how many times what this account does counts
// column: day DATE when
// column: likes INTEGER how often
// column: replies INTEGER how often
// column: mentions INTEGER how often
// column: reposts INTEGER how often
// mode: read
// index: account_key
// index: run_id
MATCH (a:Account {key: $key})
USING INDEX a:Account(key)
MATCH (r:Run {id: $run})
USING INDEX r:Run(id)
MATCH (a)-[own:SCORED]->(r)
// From who engaged to the run, and not from the run to all accounts.
WITH a, r, own
MATCH (j:Account)-[e:ENGAGED]->(a)
WHERE e.day >= $first AND e.day <= $last AND j <> a
WITH a, r, own, j, e
MATCH (j)-[s:SCORED]->(r)
WHERE s.community = own.community
RETURN
  j.key AS actor, j.handle AS handle, coalesce(j.opted_out, false) AS hidden,
  s.standing_weight AS weight, e.day AS day,
  coalesce(e.likes, 0) AS likes, coalesce(e.replies, 0) AS replies,
  coalesce(e.mentions, 0) AS mentions, coalesce(e.reposts, 0) AS reposts
ORDER BY day DESC, actor
