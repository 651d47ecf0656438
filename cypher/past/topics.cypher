// answers: What accounts wrote and shared about before a time, as parallel columns: a row for each range of numbers.
// parameter: before INTEGER the time in milliseconds since 1970 UTC
// parameter: step INTEGER how many numbers make a row
// column: account LIST<INTEGER> number of the account
// column: topic LIST<STRING> name of the topic
// column: posts LIST<INTEGER> how many different posts about it the account wrote or reposted before that time
// column: first LIST<INTEGER> when it first did, in milliseconds since 1970 UTC
// column: post LIST<STRING> key of the latest of them, of equal times the greatest
// column: last LIST<INTEGER> when it wrote or reposted that one, likewise
// column: latest INTEGER when any of them last did, likewise; -1 where nobody did
// column: without_time INTEGER how many posts of these accounts have no time
// mode: read
// index: account_n
// index: graph_id
MATCH (g:Graph {id: 1})
UNWIND range(1, g.n, $step) AS lowest
CALL (lowest) {
  MATCH (a:Account)-[r:POSTED|RESPONDED]->(p:Post)-[:ABOUT]->(t:Topic)
  USING INDEX a:Account(n)
  WHERE a.n >= lowest AND a.n < lowest + $step AND (type(r) = 'POSTED' OR r.kind = 'repost') AND t.name IS NOT NULL
  WITH a, t, p, CASE type(r) WHEN 'POSTED' THEN p.at.epochMillis ELSE r.at.epochMillis END AS at
  WHERE at < $before
  WITH
    a.n AS account,
    t.name AS topic,
    count(DISTINCT p) AS posts,
    min(at) AS first,
    max([at, coalesce(p.key, '')]) AS last
  RETURN
    collect(account) AS account,
    collect(topic) AS topic,
    collect(posts) AS posts,
    collect(first) AS first,
    collect(last[1]) AS post,
    collect(last[0]) AS last,
    coalesce(max(last[0]), -1) AS latest
}
CALL (lowest) {
  MATCH (a:Account)-[:POSTED]->(p:Post)
  USING INDEX a:Account(n)
  WHERE a.n >= lowest AND a.n < lowest + $step AND p.at IS NULL
  RETURN count(p) AS without_time
}
RETURN account, topic, posts, first, post, last, latest, without_time
