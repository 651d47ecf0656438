// answers: What is known of these posts? The graph need not have all of them.
// parameter: post LIST<STRING> keys of posts
// column: i INTEGER position in post
// column: account STRING key of its author
// column: at INTEGER when it was published, in milliseconds since 1970 UTC
// column: kind STRING its form
// column: lang STRING its language
// column: text STRING its text
// column: topics LIST<STRING> what it is about
// column: paid BOOLEAN whether somebody paid for it
// column: said LIST<INTEGER> when its fields were said, in milliseconds
// mode: read
// index: post_key
UNWIND range(0, size($post) - 1) AS i
MATCH (p:Post {key: $post[i]})
RETURN
  i, head([(author:Account)-[:POSTED]->(p) | author.key]) AS account, p.at.epochMillis AS at, p.kind AS kind,
  p.lang AS lang, p.text AS text, [(p)-[:ABOUT]->(t:Topic) | t.name] AS topics, p.paid AS paid, p.said AS said
