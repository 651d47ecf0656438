// answers: Texts without stated topics that accounts wrote or reposted before a time: a row for each range of numbers.
// parameter: before INTEGER the time in milliseconds since 1970 UTC
// parameter: step INTEGER how many numbers make a row
// column: account LIST<INTEGER> number of the account
// column: post LIST<STRING> key of the post; of an account each once
// column: at LIST<INTEGER> when it wrote or reposted it, in milliseconds since 1970 UTC
// column: text LIST<STRING> text of the post
// column: lang LIST<STRING> language of the post, empty where unknown
// column: stated LIST<INTEGER> 0: no topics of the post were stated
// mode: read
// index: account_n
// index: graph_id
MATCH (g:Graph {id: 1})
UNWIND range(1, g.n, $step) AS lowest
CALL (lowest) {
  MATCH (a:Account)-[r:POSTED|RESPONDED]->(p:Post)
  USING INDEX a:Account(n)
  WHERE
    a.n >= lowest AND a.n < lowest + $step
    AND (type(r) = 'POSTED' OR r.kind = 'repost')
    AND p.text IS NOT NULL AND p.key IS NOT NULL AND NOT EXISTS { (p)-[:ABOUT]->() }
  WITH a.n AS account, p, min(CASE type(r) WHEN 'POSTED' THEN p.at.epochMillis ELSE r.at.epochMillis END) AS at
  WHERE at < $before
  RETURN
    collect(account) AS account,
    collect(p.key) AS post,
    collect(at) AS at,
    collect(p.text) AS text,
    collect(coalesce(p.lang, '')) AS lang,
    collect(0) AS stated
}
RETURN account, post, at, text, lang, stated
