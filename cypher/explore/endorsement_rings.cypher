// answers: Which endorsements come back, between two accounts or round three?
// group: Manipulation
// parameter: most INTEGER how many rings at most
// default: most 20
// column: size INTEGER accounts in the ring: 2 or 3
// column: keys LIST<STRING> keys of the accounts, each endorsing the next and the last one the first, the lowest key first
// column: handles LIST<STRING> handles of the same, empty where unknown
// column: topics LIST<STRING> topics of these endorsements, empty for everything
// column: closed ZONED DATETIME when the ring was closed: the earliest time of each of its endorsements, and of these the latest; null where one is unknown
// column: interactions INTEGER interactions between any two of them, either way
// mode: read
// index: endorses_v
// cost: one look at each endorsement, and at those that whoever is endorsed gives
MATCH (a:Account)-[e:ENDORSES]->(b:Account)
USING INDEX e:ENDORSES(v)
WHERE
  e.v >= 0 AND a.key <> b.key AND NOT (coalesce(a.opted_out, false) OR a.erasure_asked_at IS NOT NULL) AND NOT (coalesce(b.opted_out, false) OR b.erasure_asked_at IS NOT NULL)
// Several topics of a pair are one endorsement.
WITH DISTINCT a, b
CALL (a, b) {
  WITH a, b
  WHERE a.key < b.key AND EXISTS { (b)-[:ENDORSES]->(a) }
  RETURN [a, b] AS ring
  UNION ALL
  MATCH (b)-[:ENDORSES]->(c:Account)
  WHERE
    a.key < b.key AND a.key < c.key AND c <> b AND NOT (coalesce(c.opted_out, false) OR c.erasure_asked_at IS NOT NULL)
    AND EXISTS { (c)-[:ENDORSES]->(a) }
  RETURN DISTINCT [a, b, c] AS ring
}
CALL (ring) {
  UNWIND range(0, size(ring) - 1) AS i
  WITH ring[i] AS one, ring[(i + 1) % size(ring)] AS next
  MATCH (one)-[e:ENDORSES]->(next)
  WITH one, next, collect(DISTINCT coalesce(e.topic, '')) AS topics, min(e.at) AS at
  RETURN collect(topics) AS lists, CASE WHEN count(at) = count(*) THEN max(at) END AS closed
}
WITH ring, closed, lists, [one IN ring | one.key] AS keys
ORDER BY size(ring), closed IS NULL, closed DESC, keys
LIMIT $most
CALL (ring) {
  UNWIND ring AS one
  UNWIND ring AS other
  MATCH (one)-[e:ENGAGED]->(other)
  WHERE one <> other
  RETURN
    sum(coalesce(e.likes, 0) + coalesce(e.replies, 0) + coalesce(e.mentions, 0) + coalesce(e.reposts, 0))
      AS interactions
}
CALL (lists) {
  UNWIND lists AS some
  UNWIND some AS topic
  WITH DISTINCT topic ORDER BY topic
  RETURN collect(topic) AS topics
}
RETURN size(ring) AS size, keys, [one IN ring | coalesce(one.handle, '')] AS handles, topics, closed, interactions
ORDER BY size, closed IS NULL, closed DESC, keys
