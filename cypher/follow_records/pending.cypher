// answers: Of which of these records is the end known, and nothing else?
// parameter: records LIST<STRING> digests of records
// column: i INTEGER position in records
// column: at INTEGER when it ended, in milliseconds since 1970 UTC
// mode: read
// index: ended_record_record
UNWIND range(0, size($records) - 1) AS i
MATCH (e:EndedRecord {record: $records[i]})
USING INDEX e:EndedRecord(record)
RETURN i, e.at.epochMillis AS at
