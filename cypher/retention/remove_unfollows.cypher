// answers: Remove some of the follows that ended that are too old; as long as there were any, more may be left.
// parameter: before ZONED DATETIME beginning of the first day of which they are kept
// parameter: most INTEGER how many are removed at most
// column: removed INTEGER how many it were
// mode: write
// index: unfollowed_at
MATCH ()-[u:UNFOLLOWED]->()
USING INDEX u:UNFOLLOWED(at)
WHERE u.at < $before
WITH u LIMIT $most
DELETE u
RETURN count(*) AS removed
