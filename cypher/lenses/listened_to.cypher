// answers: Whom does an account follow, or with whom did it engage in a window, and what did it do with each of them?
// parameter: run STRING the run's id: follows count that it counted, and those that came since
// parameter: key STRING the account's key
// parameter: first DATE the first day that counts
// parameter: last DATE the last day that counts
// column: account STRING key of whom it follows or engaged with
// column: handle STRING handle of the same, null where unknown
// column: hidden BOOLEAN whether it opted out: it may not be named
// column: follow FLOAT weight of the follow; null without one that counts
// column: days LIST<LIST> of each day with interactions: days before `last`, likes, replies, mentions, reposts
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
  j, days,
  CASE
    // Who has follows of which none counts is in no community.
    WHEN own IS NOT NULL AND own.community IS NULL THEN null
    WHEN s IS NOT NULL AND s.community IS NULL THEN null
    // Within a follow ring, follows in return of those who never engaged with each other count nothing.
    WHEN s.follow_ring IS NOT NULL AND s.follow_ring = own.follow_ring
      AND EXISTS { (j)-[:FOLLOWS]->(a) } AND NOT EXISTS { (a)-[:ENGAGED]-(j) } THEN null
    ELSE follow
  END AS follow
RETURN j.key AS account, j.handle AS handle, coalesce(j.opted_out, false) AS hidden, follow, days
ORDER BY account
