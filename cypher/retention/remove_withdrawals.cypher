// answers: Remove some of the endorsements that were withdrawn that are too old; as long as there were any, more may be left.
// parameter: before ZONED DATETIME beginning of the first day of which they are kept
// parameter: most INTEGER how many are removed at most
// column: removed INTEGER how many it were
// mode: write
// index: withdrew_at
MATCH ()-[w:WITHDREW]->()
USING INDEX w:WITHDREW(at)
WHERE w.at < $before
WITH w LIMIT $most
DELETE w
RETURN count(*) AS removed
