// answers: Which posts of an account in a window got most responses, and of which kinds?
// parameter: key STRING the account's key
// parameter: first ZONED DATETIME from when on
// parameter: until ZONED DATETIME before when
// parameter: most INTEGER how many at most
// column: post STRING key of the post
// column: at ZONED DATETIME when it was posted
// column: kind STRING its kind; null where unknown
// column: likes INTEGER how many accounts liked it
// column: replies INTEGER how many replied
// column: reposts INTEGER how many passed it on
// column: audience INTEGER followers of its author, and of those who passed it on
// mode: read
// index: account_key
MATCH (a:Account {key: $key})
USING INDEX a:Account(key)
MATCH (a)-[:POSTED]->(p:Post)
WHERE p.at >= $first AND p.at < $until
CALL (p, a) {
  MATCH (p)<-[r:RESPONDED]-(j:Account)
  WHERE j <> a AND (r.at IS NULL OR r.at < $until)
  RETURN
    count(DISTINCT CASE WHEN r.kind = 'like' THEN j END) AS likes,
    count(DISTINCT CASE WHEN r.kind = 'reply' THEN j END) AS replies,
    count(DISTINCT CASE WHEN r.kind = 'repost' THEN j END) AS reposts,
    collect(DISTINCT CASE WHEN r.kind = 'repost' THEN j END) AS sharers
}
WITH a, p, likes, replies, reposts, sharers
ORDER BY likes + replies + reposts DESC, p.at DESC, p.key
LIMIT $most
RETURN
  p.key AS post, p.at AS at, p.kind AS kind, likes, replies, reposts,
  reduce(
    total = 0, one IN [a] + sharers | total + coalesce(one.followers, COUNT { (one)<-[:FOLLOWS]-() })
  ) AS audience
ORDER BY likes + replies + reposts DESC, at DESC, post
