// answers: All topics of accounts whose topics may have changed after a version, as parallel columns.
// parameter: after INTEGER the version
// column: account LIST<INTEGER> number of the account, each once: what was known of its topics no longer stands
// column: topic LIST<LIST> of each account, names of its topics, in any order
// column: posts LIST<LIST> of each account, how many different posts about each of them it wrote or reposted
// mode: read
// index: post_v
// index: responded_v
// index: account_v
CALL () {
  // Who wrote or shared a post that changed: it may have got or lost topics, or this author.
  MATCH (p:Post)
  USING INDEX p:Post(v)
  WHERE p.v > $after
  MATCH (a:Account)-[r:POSTED|RESPONDED]->(p)
  WHERE type(r) = 'POSTED' OR r.kind = 'repost'
  RETURN a
UNION
  // Who shared a post since.
  MATCH (a:Account)-[r:RESPONDED]->(:Post)
  USING INDEX r:RESPONDED(v)
  WHERE r.v > $after AND r.kind = 'repost'
  RETURN a
UNION
  // Who lost a post: posts/write marks them, as nothing else is left of it.
  MATCH (a:Account)
  USING INDEX a:Account(v)
  WHERE a.v > $after
  RETURN a
}
WITH a
WHERE a.n IS NOT NULL
CALL (a) {
  MATCH (a)-[r:POSTED|RESPONDED]->(p:Post)-[:ABOUT]->(t:Topic)
  WHERE (type(r) = 'POSTED' OR r.kind = 'repost') AND t.name IS NOT NULL
  WITH t.name AS topic, count(DISTINCT p) AS posts
  RETURN collect(topic) AS topic, collect(posts) AS posts
}
RETURN collect(a.n) AS account, collect(topic) AS topic, collect(posts) AS posts
