// answers: Who responded to the posts of an account?
// parameter: key STRING the account's key
// column: account STRING key of who responded
// column: post STRING key of the post
// column: kind STRING how
// column: at INTEGER when, in milliseconds since 1970 UTC, -1 where unknown
// column: said LIST<INTEGER> nothing: a response never changes
// mode: read
// index: account_key
MATCH (a:Account {key: $key})-[:POSTED]->(p:Post)<-[r:RESPONDED]-(b:Account)
RETURN b.key AS account, p.key AS post, r.kind AS kind, coalesce(r.at.epochMillis, -1) AS at, null AS said
