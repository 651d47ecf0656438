// answers: What did an account do, and what was done with it, day by day?
// parameter: key STRING the account's key
// parameter: first DATE the first day
// parameter: last DATE the last day
// column: kind STRING given: what it did with another account on a day; gotten: what another did with it; posted
// column: day DATE when
// column: counts LIST<INTEGER> likes, replies, mentions and reposts; of what was posted posts, and of these reposts
// mode: read
// index: account_key
MATCH (a:Account {key: $key})
USING INDEX a:Account(key)
CALL (a) {
  MATCH (a)-[e:ENGAGED]->(j)
  WHERE e.day >= $first AND e.day <= $last AND j <> a
  RETURN 'given' AS kind, e.day AS day,
    [coalesce(e.likes, 0), coalesce(e.replies, 0), coalesce(e.mentions, 0), coalesce(e.reposts, 0)] AS counts
  UNION ALL
  MATCH (a)<-[e:ENGAGED]-(j)
  WHERE e.day >= $first AND e.day <= $last AND j <> a
  RETURN 'gotten' AS kind, e.day AS day,
    [coalesce(e.likes, 0), coalesce(e.replies, 0), coalesce(e.mentions, 0), coalesce(e.reposts, 0)] AS counts
  UNION ALL
  MATCH (a)-[:POSTED]->(p:Post)
  WHERE p.at IS NOT NULL
  WITH DISTINCT p, date(datetime({datetime: p.at, timezone: 'UTC'})) AS day
  WHERE day >= $first AND day <= $last
  WITH day, count(p) AS posts, count(CASE p.kind WHEN 'repost' THEN p END) AS reposts
  RETURN 'posted' AS kind, day, [posts, reposts] AS counts
}
RETURN kind, day, counts
ORDER BY kind, day
