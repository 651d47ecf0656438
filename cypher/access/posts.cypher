// answers: What did an account publish?
// parameter: key STRING the account's key
// column: post STRING key of the post
// column: account STRING key of its author
// column: at INTEGER when it was published, in milliseconds since 1970 UTC
// column: kind STRING its form
// column: lang STRING its language
// column: text STRING its text
// column: topics LIST<STRING> what it is about
// column: paid BOOLEAN whether somebody paid for it
// column: said LIST<INTEGER> when its fields were said, in milliseconds
// mode: read
// index: account_key
MATCH (a:Account {key: $key})-[:POSTED]->(p:Post)
RETURN
  p.key AS post, a.key AS account, p.at.epochMillis AS at, p.kind AS kind, p.lang AS lang, p.text AS text,
  [(p)-[:ABOUT]->(t:Topic) | t.name] AS topics, p.paid AS paid, p.said AS said
