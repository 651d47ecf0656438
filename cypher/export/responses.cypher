// answers: All responses to posts, in order of the keys of who responded and of the posts.
// column: account STRING key of the account
// column: post STRING key of the post
// column: kind STRING how
// column: at INTEGER when, in milliseconds since 1970 UTC, -1 where unknown
// column: said LIST<INTEGER> nothing: a response never changes
// mode: read
// index: account_key
MATCH (a:Account)
USING INDEX a:Account(key)
WHERE a.key >= ''
MATCH (a)-[r:RESPONDED]->(p:Post)
RETURN a.key AS account, p.key AS post, r.kind AS kind, coalesce(r.at.epochMillis, -1) AS at, null AS said
ORDER BY account, post, kind, at
