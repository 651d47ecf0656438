// answers: What did an account do, and what was done with it, day by day?
// parameter: key STRING the account's key
// parameter: first DATE the first day
// parameter: last DATE the last day
// parameter: most INTEGER how many interactions of one kind, pair and day count
// column: kind STRING given: what it did with others on a day; gotten: what others did with it; posted
// column: day DATE when
// column: counts LIST<INTEGER> likes, replies, mentions and reposts that count; of what was posted posts and reposts
// mode: read
// index: account_key
MATCH (a:Account {key: $key})
USING INDEX a:Account(key)
CALL (a) {
  MATCH (a)-[e:ENGAGED]->(j)
  WHERE e.day >= $first AND e.day <= $last AND j <> a
  RETURN 'given' AS kind, e
  UNION ALL
  MATCH (a)<-[e:ENGAGED]-(j)
  WHERE e.day >= $first AND e.day <= $last AND j <> a
  RETURN 'gotten' AS kind, e
}
WITH
  kind, e.day AS day,
  [times IN [e.likes, e.replies, e.mentions, e.reposts] | CASE WHEN times > $most THEN $most ELSE times END] AS counted
RETURN kind, day, [sum(counted[0]), sum(counted[1]), sum(counted[2]), sum(counted[3])] AS counts
ORDER BY kind, day
UNION ALL
MATCH (a:Account {key: $key})
USING INDEX a:Account(key)
MATCH (a)-[:POSTED]->(p:Post)
WHERE p.at IS NOT NULL
WITH DISTINCT p, date(datetime({datetime: p.at, timezone: 'UTC'})) AS day
WHERE day >= $first AND day <= $last
RETURN 'posted' AS kind, day, [count(p), count(CASE p.kind WHEN 'repost' THEN p END)] AS counts
ORDER BY kind, day
