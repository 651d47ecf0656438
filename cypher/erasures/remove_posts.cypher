// answers: Removes posts with all that hangs on them, and topics that nothing else is about; of each a digest stays.
// parameter: posts LIST<STRING> keys of the posts
// parameter: digests LIST<STRING> digests of the keys
// parameter: v INTEGER graph version of this change
// column: posts INTEGER how many posts were removed
// column: topics INTEGER how many topics were removed
// mode: write
// index: post_key
// index: erased_digest
CALL () {
  UNWIND $digests AS digest
  MERGE (e:Erased {digest: digest})
  ON CREATE SET e.v = $v
  RETURN count(*) AS kept
}
CALL () {
  UNWIND $posts AS key
  MATCH (p:Post {key: key})
  OPTIONAL MATCH (p)-[:ABOUT]->(t:Topic)
  WITH collect(DISTINCT p) AS removed, collect(DISTINCT t) AS topics
  WITH removed, topics, size(removed) AS posts
  FOREACH (p IN removed | DETACH DELETE p)
  RETURN posts, topics
}
WITH posts, [t IN topics WHERE NOT EXISTS { (t)<-[:ABOUT]-() }] AS orphans
WITH posts, orphans, size(orphans) AS topics
FOREACH (t IN orphans | DELETE t)
RETURN posts, topics
