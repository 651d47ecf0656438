// answers: How much accounts post a day, as parallel columns: one row for each range of the accounts' numbers.
// parameter: first INTEGER lowest number of an account, where the first range begins
// parameter: last INTEGER highest number of an account
// parameter: step INTEGER how many numbers make a row
// parameter: stride INTEGER how far apart ranges begin: a multiple of step leaves some to other readers
// column: account LIST<INTEGER> number of the author
// column: day LIST<INTEGER> day in days since 1970 UTC
// column: posts LIST<INTEGER> how many posts it wrote that day
// column: links LIST<INTEGER> how many of them are links
// column: reposts LIST<INTEGER> how many of them are reposts
// mode: read
// index: account_n
UNWIND range($first, $last, $stride) AS first
CALL (first) {
  MATCH (a:Account)-[:POSTED]->(p:Post)
  USING INDEX a:Account(n)
  WHERE a.n >= first AND a.n < first + $step AND p.at IS NOT NULL
  WITH
    a.n AS account,
    // Rounded down also before 1970.
    toInteger(floor(p.at.epochMillis / 86400000.0)) AS day,
    count(DISTINCT p) AS posts,
    count(DISTINCT CASE p.kind WHEN 'link' THEN p END) AS links,
    count(DISTINCT CASE p.kind WHEN 'repost' THEN p END) AS reposts
  RETURN
    collect(account) AS account,
    collect(day) AS day,
    collect(posts) AS posts,
    collect(links) AS links,
    collect(reposts) AS reposts
}
RETURN account, day, posts, links, reposts
