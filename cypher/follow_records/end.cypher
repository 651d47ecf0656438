// answers: Keeps that records of follows ended, whichever follows they say. The lists are parallel.
// parameter: records LIST<STRING> digests of records
// parameter: times LIST<INTEGER> when, in milliseconds since 1970 UTC
// mode: write
// index: ended_record_record
// index: follow_record_record
UNWIND range(0, size($records) - 1) AS i
MERGE (e:EndedRecord {record: $records[i]})
SET e.at = datetime({epochMillis: $times[i]})
WITH i
CALL (i) {
  MATCH ()-[r:FOLLOW_RECORD {record: $records[i]}]->()
  USING INDEX r:FOLLOW_RECORD(record)
  DELETE r
}
