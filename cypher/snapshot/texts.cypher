// answers: Texts of posts that accounts wrote or reposted, as parallel columns: one row for each range of numbers.
// parameter: first INTEGER lowest number of an account, where the first range begins
// parameter: last INTEGER highest number of an account
// parameter: step INTEGER how many numbers make a row
// parameter: stride INTEGER how far apart ranges begin: a multiple of step leaves some to other readers
// column: account LIST<INTEGER> number of the account
// column: post LIST<STRING> key of the post; of an account each once
// column: at LIST<INTEGER> when it wrote or reposted it, in milliseconds since 1970 UTC, -1 where unknown
// column: text LIST<STRING> text of the post
// column: lang LIST<STRING> language of the post, empty where unknown
// column: stated LIST<INTEGER> 1 where topics of the post were stated, else 0
// mode: read
// index: account_n
UNWIND range($first, $last, $stride) AS lowest
CALL (lowest) {
  MATCH (a:Account)-[r:POSTED|RESPONDED]->(p:Post)
  USING INDEX a:Account(n)
  // collect() leaves out nulls, and the columns would no longer be parallel.
  WHERE
    a.n >= lowest AND a.n < lowest + $step
    AND (type(r) = 'POSTED' OR r.kind = 'repost')
    AND p.text IS NOT NULL AND p.key IS NOT NULL
  WITH a.n AS account, p, min(CASE type(r) WHEN 'POSTED' THEN p.at.epochMillis ELSE r.at.epochMillis END) AS at
  RETURN
    collect(account) AS account,
    collect(p.key) AS post,
    collect(coalesce(at, -1)) AS at,
    collect(p.text) AS text,
    collect(coalesce(p.lang, '')) AS lang,
    collect(CASE WHEN EXISTS { (p)-[:ABOUT]->() } THEN 1 ELSE 0 END) AS stated
}
RETURN account, post, at, text, lang, stated
