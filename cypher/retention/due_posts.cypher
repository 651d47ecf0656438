// answers: Which posts are older than they may be kept? Those of which it is not known when they were published, by when something was last said of them.
// parameter: before ZONED DATETIME beginning of the first day of which posts are kept
// column: post STRING key of the post
// mode: read
// index: post_at
// index: post_v
CALL () {
  MATCH (p:Post)
  USING INDEX p:Post(at)
  WHERE p.at < $before
  RETURN p
UNION ALL
  MATCH (p:Post)
  USING INDEX p:Post(v)
  WHERE p.v >= 0 AND p.at IS NULL AND p.said IS NOT NULL
    AND all(said IN p.said WHERE said < $before.epochMillis)
  RETURN p
}
WITH p.key AS post
WHERE post IS NOT NULL
RETURN post
