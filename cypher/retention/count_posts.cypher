// answers: How many posts are older than they may be kept? As retention/due_posts lists them.
// parameter: before ZONED DATETIME beginning of the first day of which posts are kept
// column: posts INTEGER how many
// mode: read
// index: post_at
// index: post_v
CALL () {
  MATCH (p:Post)
  USING INDEX p:Post(at)
  WHERE p.at < $before AND p.key IS NOT NULL
  RETURN count(p) AS posts
UNION ALL
  MATCH (p:Post)
  USING INDEX p:Post(v)
  WHERE p.v >= 0 AND p.at IS NULL AND p.said IS NOT NULL AND p.key IS NOT NULL
    AND all(said IN p.said WHERE said < $before.epochMillis)
  RETURN count(p) AS posts
}
RETURN sum(posts) AS posts
