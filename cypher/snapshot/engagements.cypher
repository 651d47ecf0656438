// answers: All counts of interactions, as parallel columns: one row for each range of the numbers of who acted.
// parameter: first INTEGER lowest number of an account, where the first range begins
// parameter: last INTEGER highest number of an account
// parameter: step INTEGER how many numbers make a row
// parameter: stride INTEGER how far apart ranges begin: a multiple of step leaves some to other readers
// column: source LIST<INTEGER> number of who acted
// column: target_id LIST<INTEGER> id within Neo4j of whom it was about
// column: day LIST<INTEGER> day in days since 1970 UTC
// column: likes LIST<INTEGER> likes
// column: replies LIST<INTEGER> replies
// column: mentions LIST<INTEGER> mentions
// column: reposts LIST<INTEGER> reposts
// mode: read
// index: account_n
UNWIND range($first, $last, $stride) AS first
CALL (first) {
  MATCH (a:Account)-[e:ENGAGED]->(b)
  USING INDEX a:Account(n)
  // collect() leaves out nulls, and the columns would no longer be parallel.
  WHERE a.n >= first AND a.n < first + $step AND e.day IS NOT NULL
  RETURN
    collect(a.n) AS source,
    collect(id(b)) AS target_id,
    collect(duration.inDays(date('1970-01-01'), e.day).days) AS day,
    collect(coalesce(e.likes, 0)) AS likes,
    collect(coalesce(e.replies, 0)) AS replies,
    collect(coalesce(e.mentions, 0)) AS mentions,
    collect(coalesce(e.reposts, 0)) AS reposts
}
RETURN source, target_id, day, likes, replies, mentions, reposts
