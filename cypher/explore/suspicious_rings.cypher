// answers: Which accounts follow each other, and the same others in return, without a word between them?
// group: Manipulation
// parameter: common INTEGER pairs with at least so many accounts with which both follow each other
// default: common 3
// parameter: most INTEGER how many pairs at most
// default: most 20
// column: account STRING key of one of the two, which follow each other and never had an interaction
// column: handle STRING handle of the same, null where unknown
// column: other STRING key of the other one
// column: other_handle STRING handle of the same, null where unknown
// column: common INTEGER accounts with which both follow each other
// column: silent INTEGER of these, those with which neither of the two ever had an interaction: in a ring all
// column: share FLOAT common as a share of all with which either follows each other, the two not counted
// column: did INTEGER posts of the two, and interactions of theirs with anybody: who is there for follows alone does nothing else
// mode: read
// index: account_key
// cost: one look at each follow, and for each pair that follows each other at all with which either does
MATCH (a:Account)
USING INDEX a:Account(key)
WHERE a.key >= ''
CALL (a) {
  // There is one follow a direction: with two they follow each other.
  MATCH (a)-[f:FOLLOWS]-(b:Account)
  WHERE a <> b
  WITH b, count(f) AS follows
  WHERE follows = 2
  RETURN collect(b) AS friends
}
WITH a, friends
WHERE size(friends) > $common
UNWIND friends AS b
// Each pair comes twice, from either side: together they hold the friends of both.
WITH
  CASE WHEN a.key < b.key THEN a ELSE b END AS a, CASE WHEN a.key < b.key THEN b ELSE a END AS b, friends
ORDER BY size(friends)
WITH a, b, collect(friends) AS sides
WHERE size(sides) = 2 AND NOT (coalesce(a.opted_out, false) OR a.erasure_asked_at IS NOT NULL) AND NOT (coalesce(b.opted_out, false) OR b.erasure_asked_at IS NOT NULL)
WITH a, b, [o IN sides[0] WHERE o IN sides[1]] AS shared, size(sides[0]) + size(sides[1]) - 2 AS others
WHERE size(shared) >= $common AND shared <> [] AND NOT EXISTS { (a)-[:ENGAGED]-(b) }
WITH
  a, b, size(shared) AS common, toFloat(size(shared)) / (others - size(shared)) AS share,
  size([o IN shared WHERE NOT EXISTS { (o)-[:ENGAGED]-(a) } AND NOT EXISTS { (o)-[:ENGAGED]-(b) }]) AS silent
ORDER BY silent DESC, share DESC, common DESC, a.key, b.key
LIMIT $most
CALL (a, b) {
  UNWIND [a, b] AS one
  OPTIONAL MATCH (one)-[e:ENGAGED]->()
  WITH
    one,
    sum(coalesce(e.likes, 0) + coalesce(e.replies, 0) + coalesce(e.mentions, 0) + coalesce(e.reposts, 0)) AS engaged
  RETURN sum(engaged + COUNT { (one)-[:POSTED]->(:Post) }) AS did
}
RETURN
  a.key AS account, a.handle AS handle, b.key AS other, b.handle AS other_handle, common, silent, share, did
ORDER BY silent DESC, share DESC, common DESC, account, other
