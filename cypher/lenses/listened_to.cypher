// answers: Whom does an account follow, or did it engage with in a window, and how? By the weight of its follows.
// parameter: run STRING the run's id: follows count that it counted, and those that came since
// parameter: key STRING the account's key
// parameter: first DATE the first day that counts
// parameter: last DATE the last day that counts
// parameter: masked LIST<STRING> keys of accounts that may not be named, beside those that opted out
// column: follow FLOAT weight of the follows; null for those without one that counts
// column: quiet INTEGER ties without interactions in the window, which are nothing but the follow
// column: quiet_shown INTEGER those of them whose account may be named
// column: accounts LIST<STRING> of each other tie the key of the account
// column: hidden LIST<BOOLEAN> of each of them whether the account may not be named
// column: days LIST<LIST> of each of them all its days, of each: days before `last`, likes, replies, mentions, reposts
// mode: read
// index: account_key
// index: run_id
MATCH (a:Account {key: $key})
USING INDEX a:Account(key)
MATCH (r:Run {id: $run})
USING INDEX r:Run(id)
OPTIONAL MATCH (a)-[own:SCORED]->(r)
WITH a, r, own
CALL (a) {
  MATCH (a)-[f:FOLLOWS]->(j:Account)
  RETURN j, coalesce(f.weight, 1.0) AS follow, null AS day
  UNION ALL
  MATCH (a)-[e:ENGAGED]->(j:Account)
  WHERE e.day >= $first AND e.day <= $last
  RETURN j, null AS follow, [
    duration.inDays(e.day, $last).days,
    coalesce(e.likes, 0),
    coalesce(e.replies, 0),
    coalesce(e.mentions, 0),
    coalesce(e.reposts, 0)
  ] AS day
}
WITH a, r, own, j, max(follow) AS follow, collect(day) AS days
WHERE j <> a
OPTIONAL MATCH (j)-[s:SCORED]->(r)
WITH
  j, days, coalesce(j.opted_out, false) OR j.key IN $masked AS hidden,
  CASE
    // Who has follows of which none counts is in no community.
    WHEN own IS NOT NULL AND own.community IS NULL THEN null
    WHEN s IS NOT NULL AND s.community IS NULL THEN null
    // Within a follow ring, follows in return of those who never engaged with each other count nothing.
    WHEN s.follow_ring IS NOT NULL AND s.follow_ring = own.follow_ring
      AND EXISTS { (j)-[:FOLLOWS]->(a) } AND NOT EXISTS { (a)-[:ENGAGED]-(j) } THEN null
    ELSE follow
  END AS follow
WITH
  follow, hidden,
  CASE WHEN size(days) > 0 THEN j.key END AS account,
  reduce(all = [], day IN days | all + day) AS days
WHERE follow IS NOT NULL OR account IS NOT NULL
RETURN
  follow,
  count(CASE WHEN account IS NULL THEN 1 END) AS quiet,
  count(CASE WHEN account IS NULL AND NOT hidden THEN 1 END) AS quiet_shown,
  collect(account) AS accounts,
  collect(CASE WHEN account IS NOT NULL THEN hidden END) AS hidden,
  collect(CASE WHEN account IS NOT NULL THEN days END) AS days
