// answers: Which followers of an account engaged most with it in a window? Nobody who opted out.
// parameter: key STRING the account's key
// parameter: first DATE the first day that counts
// parameter: last DATE the last day that counts
// parameter: most INTEGER how many at most
// column: account STRING key of the follower
// column: handle STRING handle of the same, null where unknown
// column: followers INTEGER how many follow it, as its network reports or in the graph
// column: days INTEGER on how many days it engaged
// column: responses INTEGER how often
// mode: read
// index: account_key
MATCH (a:Account {key: $key})
USING INDEX a:Account(key)
MATCH (a)<-[e:ENGAGED]-(j:Account)
WHERE e.day >= $first AND e.day <= $last AND j <> a AND NOT coalesce(j.opted_out, false)
  AND EXISTS { (j)-[:FOLLOWS]->(a) }
WITH
  j,
  count(*) AS days,
  sum(coalesce(e.likes, 0) + coalesce(e.replies, 0) + coalesce(e.mentions, 0) + coalesce(e.reposts, 0)) AS responses
ORDER BY responses DESC, days DESC, j.key
LIMIT $most
RETURN
  j.key AS account, j.handle AS handle, coalesce(j.followers, COUNT { (j)<-[:FOLLOWS]-() }) AS followers,
  days, responses
ORDER BY responses DESC, days DESC, account
