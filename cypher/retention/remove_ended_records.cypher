// answers: Remove some of the records of follows that ended too long ago; as long as there were any, more may be left.
// parameter: before ZONED DATETIME beginning of the first day of which they are kept
// parameter: most INTEGER how many are removed at most
// column: removed INTEGER how many it were
// mode: write
// index: ended_record_at
MATCH (e:EndedRecord)
USING INDEX e:EndedRecord(at)
WHERE e.at < $before
WITH e LIMIT $most
DELETE e
RETURN count(*) AS removed
