// answers: Remove some of the responses to those of these posts that are too old, so that a post with very many of them can be removed.
// parameter: posts LIST<STRING> keys of posts
// parameter: before ZONED DATETIME beginning of the first day of which posts are kept
// parameter: most INTEGER how many are removed at most
// column: removed INTEGER how many it were
// mode: write
// index: post_key
UNWIND $posts AS key
MATCH (p:Post {key: key})
WHERE p.at < $before OR (p.at IS NULL AND all(said IN p.said WHERE said < $before.epochMillis))
MATCH (p)<-[r:RESPONDED]-()
WITH r LIMIT $most
DELETE r
RETURN count(*) AS removed
