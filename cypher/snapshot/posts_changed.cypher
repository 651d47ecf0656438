// answers: All topics and posts of accounts whose posts or reposts may have changed after a version.
// parameter: after INTEGER the version
// column: account LIST<INTEGER> number of the account, each once: what was known of its topics and posts no longer stands
// column: topic LIST<LIST> of each account, names of its topics, in any order
// column: topic_posts LIST<LIST> of each account, how many different posts about each of them it wrote or reposted
// column: first LIST<LIST> of each account, when it first did, in milliseconds since 1970 UTC, -1 where unknown
// column: topic_post LIST<LIST> of each account, key of the latest of these posts, of equal times the greatest
// column: topic_latest LIST<LIST> of each account, when it wrote or reposted that one, likewise
// column: texts LIST<LIST> of each account, its posts and reposts with a text: key, time (likewise), text, language (empty where unknown), 1 where topics are stated
// column: day LIST<LIST> of each account, days on which it posted, in days since 1970 UTC, in any order
// column: posts LIST<LIST> of each account, how many posts it wrote on each of them
// column: links LIST<LIST> of each account, how many of them are links
// column: reposts LIST<LIST> of each account, how many of them are reposts
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
  WITH t, p, CASE type(r) WHEN 'POSTED' THEN p.at.epochMillis ELSE r.at.epochMillis END AS at
  WITH
    t.name AS topic,
    count(DISTINCT p) AS posts,
    min(at) AS first,
    max([coalesce(at, -1), coalesce(p.key, '')]) AS last
  RETURN
    collect(topic) AS topic,
    collect(posts) AS topic_posts,
    collect(coalesce(first, -1)) AS first,
    collect(last[1]) AS topic_post,
    collect(last[0]) AS topic_latest
}
CALL (a) {
  MATCH (a)-[r:POSTED|RESPONDED]->(p:Post)
  WHERE (type(r) = 'POSTED' OR r.kind = 'repost') AND p.text IS NOT NULL AND p.key IS NOT NULL
  WITH p, min(CASE type(r) WHEN 'POSTED' THEN p.at.epochMillis ELSE r.at.epochMillis END) AS at
  RETURN
    collect([
      p.key, coalesce(at, -1), p.text, coalesce(p.lang, ''), CASE WHEN EXISTS { (p)-[:ABOUT]->() } THEN 1 ELSE 0 END
    ]) AS texts
}
CALL (a) {
  MATCH (a)-[:POSTED]->(p:Post)
  WHERE p.at IS NOT NULL
  WITH
    // Rounded down also before 1970.
    toInteger(floor(p.at.epochMillis / 86400000.0)) AS day,
    count(DISTINCT p) AS posts,
    count(DISTINCT CASE p.kind WHEN 'link' THEN p END) AS links,
    count(DISTINCT CASE p.kind WHEN 'repost' THEN p END) AS reposts
  RETURN collect(day) AS day, collect(posts) AS posts, collect(links) AS links, collect(reposts) AS reposts
}
RETURN
  collect(a.n) AS account,
  collect(topic) AS topic,
  collect(topic_posts) AS topic_posts,
  collect(first) AS first,
  collect(topic_post) AS topic_post,
  collect(topic_latest) AS topic_latest,
  collect(texts) AS texts,
  collect(day) AS day,
  collect(posts) AS posts,
  collect(links) AS links,
  collect(reposts) AS reposts
