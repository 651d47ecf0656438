// answers: What accounts write and share about, as parallel columns: one row for each range of the accounts' numbers.
// parameter: first INTEGER lowest number of an account, where the first range begins
// parameter: last INTEGER highest number of an account
// parameter: step INTEGER how many numbers make a row
// parameter: stride INTEGER how far apart ranges begin: a multiple of step leaves some to other readers
// column: account LIST<INTEGER> number of the account
// column: topic LIST<STRING> name of the topic
// column: posts LIST<INTEGER> how many different posts about it the account wrote or reposted
// column: first LIST<INTEGER> when it first did, in milliseconds since 1970 UTC, -1 where no time is known
// column: post LIST<STRING> key of the latest of them, of equal times the greatest
// column: latest LIST<INTEGER> when it wrote or reposted that one, likewise
// mode: read
// index: account_n
UNWIND range($first, $last, $stride) AS lowest
CALL (lowest) {
  MATCH (a:Account)-[r:POSTED|RESPONDED]->(p:Post)-[:ABOUT]->(t:Topic)
  USING INDEX a:Account(n)
  // collect() leaves out nulls, and the columns would no longer be parallel.
  WHERE a.n >= lowest AND a.n < lowest + $step AND (type(r) = 'POSTED' OR r.kind = 'repost') AND t.name IS NOT NULL
  WITH a, t, p, CASE type(r) WHEN 'POSTED' THEN p.at.epochMillis ELSE r.at.epochMillis END AS at
  WITH
    a.n AS account,
    t.name AS topic,
    count(DISTINCT p) AS posts,
    min(at) AS first,
    max([coalesce(at, -1), coalesce(p.key, '')]) AS last
  RETURN
    collect(account) AS account,
    collect(topic) AS topic,
    collect(posts) AS posts,
    collect(coalesce(first, -1)) AS first,
    collect(last[1]) AS post,
    collect(last[0]) AS latest
}
RETURN account, topic, posts, first, post, latest
