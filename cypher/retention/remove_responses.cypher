// answers: Remove some of the responses to posts that are too old, and posts of which then nothing is known; as long as there were any, more may be left.
// parameter: before ZONED DATETIME beginning of the first day of which they are kept
// parameter: most INTEGER how many are removed at most
// column: removed INTEGER how many responses it were
// mode: write
// index: responded_at
MATCH ()-[r:RESPONDED]->(p)
USING INDEX r:RESPONDED(at)
WHERE r.at < $before
WITH r, p LIMIT $most
DELETE r
WITH count(*) AS removed, collect(DISTINCT p) AS posts
CALL (posts) {
  UNWIND posts AS p
  WITH p
  WHERE p.said IS NULL AND p.at IS NULL AND NOT EXISTS { (p)--() }
  DELETE p
}
RETURN removed
