// answers: Remove some of the records of follows that ended too long ago; as long as there were any, more may be left.
// parameter: before ZONED DATETIME beginning of the first day of which they are kept
// parameter: most INTEGER how many are removed at most, of those whose follow is known, and of the others
// column: removed INTEGER how many it were
// mode: write
// index: ended_record_at
// index: follow_record_ended_at
CALL () {
  MATCH ()-[r:FOLLOW_RECORD]->()
  USING INDEX r:FOLLOW_RECORD(ended_at)
  WHERE r.ended_at < $before
  WITH r LIMIT $most
  DELETE r
  RETURN count(*) AS known
}
CALL () {
  MATCH (e:EndedRecord)
  USING INDEX e:EndedRecord(at)
  WHERE e.at < $before
  WITH e LIMIT $most
  DELETE e
  RETURN count(*) AS pending
}
RETURN known + pending AS removed
