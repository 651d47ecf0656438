// answers: Writes posts with author and topics. The lists are parallel: one post a position.
// parameter: post LIST<STRING> keys of posts
// parameter: account LIST<STRING> keys of authors
// parameter: at LIST<INTEGER> when they were published, in milliseconds since 1970 UTC
// parameter: kind LIST<STRING> their forms
// parameter: lang LIST<STRING> languages
// parameter: text LIST<STRING> texts
// parameter: topics LIST<LIST> what they are about
// parameter: paid LIST<BOOLEAN> whether somebody paid for them
// parameter: said LIST<LIST> when its fields were said, in milliseconds
// parameter: v INTEGER graph version of this change
// mode: write
// index: post_key
// index: account_key
// index: topic_name
UNWIND range(0, size($post) - 1) AS i
MATCH (p:Post {key: $post[i]})
SET
  p.at = CASE WHEN $at[i] IS NOT NULL THEN datetime({epochMillis: $at[i]}) END,
  p.kind = $kind[i], p.lang = $lang[i], p.text = $text[i], p.paid = $paid[i], p.said = $said[i], p.v = $v
WITH i, p, coalesce($topics[i], []) AS topics
CALL (i, p) {
  MATCH (other:Account)-[old:POSTED]->(p)
  WHERE other.key <> $account[i]
  // Nothing else is left to tell that this account no longer wrote the post.
  SET other.v = $v
  DELETE old
}
CALL (i, p) {
  MATCH (author:Account {key: $account[i]})
  MERGE (author)-[:POSTED]->(p)
}
CALL (p, topics) {
  MATCH (p)-[old:ABOUT]->(t:Topic)
  WHERE NOT t.name IN topics
  DELETE old
  // A topic that no post is about is none: which there are must not depend on the order in which things were said.
  WITH DISTINCT t
  WHERE NOT EXISTS { (t)<-[:ABOUT]-() }
  DELETE t
}
CALL (p, topics) {
  UNWIND topics AS name
  MERGE (t:Topic {name: name})
  MERGE (p)-[:ABOUT]->(t)
}
