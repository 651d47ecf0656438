// answers: Posts as the graph has them now; of who opted out, or asked to be erased, neither author nor text.
// parameter: keys LIST<STRING> keys of posts
// column: post STRING key
// column: author STRING key of the author, null where unknown
// column: at DATETIME when it was published, null where unknown
// column: kind STRING its form, null where unknown
// column: lang STRING its language, null where unknown
// column: text STRING its text, null where unknown
// mode: read
// index: post_key
UNWIND $keys AS key
MATCH (p:Post {key: key})
USING INDEX p:Post(key)
OPTIONAL MATCH (a:Account)-[:POSTED]->(p)
WITH p, min(a.key) AS author, coalesce(max(CASE WHEN a.opted_out THEN 1 ELSE 0 END), 0) = 1 AS silent
RETURN
  p.key AS post,
  CASE WHEN NOT silent THEN author END AS author,
  p.at AS at,
  p.kind AS kind,
  p.lang AS lang,
  CASE WHEN NOT silent THEN p.text END AS text
