// answers: What accounts write and share about, as parallel columns: one row for each range of the accounts' numbers.
// parameter: first INTEGER lowest number of an account, where the first range begins
// parameter: last INTEGER highest number of an account
// parameter: step INTEGER how many numbers make a row
// parameter: stride INTEGER how far apart ranges begin: a multiple of step leaves some to other readers
// column: account LIST<INTEGER> number of the account
// column: topic LIST<STRING> name of the topic
// column: posts LIST<INTEGER> how many different posts about it the account wrote or reposted
// mode: read
// index: account_n
UNWIND range($first, $last, $stride) AS first
CALL (first) {
  MATCH (a:Account)-[r:POSTED|RESPONDED]->(p:Post)-[:ABOUT]->(t:Topic)
  USING INDEX a:Account(n)
  // collect() leaves out nulls, and the columns would no longer be parallel.
  WHERE a.n >= first AND a.n < first + $step AND (type(r) = 'POSTED' OR r.kind = 'repost') AND t.name IS NOT NULL
  WITH a.n AS account, t.name AS topic, count(DISTINCT p) AS posts
  RETURN collect(account) AS account, collect(topic) AS topic, collect(posts) AS posts
}
RETURN account, topic, posts
