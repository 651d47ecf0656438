// answers: Remove those of these posts that are too old, with all that leads to them and from them, and topics that no other post is about.
// parameter: posts LIST<STRING> keys of posts
// parameter: before ZONED DATETIME beginning of the first day of which posts are kept
// column: removed INTEGER how many posts it were
// mode: write
// index: post_key
UNWIND $posts AS key
MATCH (p:Post {key: key})
WHERE p.at < $before OR (p.at IS NULL AND all(said IN p.said WHERE said < $before.epochMillis))
OPTIONAL MATCH (p)-[:ABOUT]->(t:Topic)
WITH collect(DISTINCT p) AS posts, collect(DISTINCT t) AS topics
CALL (posts) {
  UNWIND posts AS p
  DETACH DELETE p
}
CALL (topics) {
  UNWIND topics AS t
  WITH t
  WHERE NOT EXISTS { (t)<-[:ABOUT]-() }
  DELETE t
}
RETURN size(posts) AS removed
