// answers: Remove some of the counts of interactions that are too old; as long as there were any, more may be left.
// parameter: before ZONED DATETIME beginning of the first day of which they are kept
// parameter: most INTEGER how many are removed at most
// column: removed INTEGER how many it were
// mode: write
// index: engaged_day
MATCH ()-[e:ENGAGED]->()
USING INDEX e:ENGAGED(day)
WHERE e.day < date($before)
WITH e LIMIT $most
DELETE e
RETURN count(*) AS removed
