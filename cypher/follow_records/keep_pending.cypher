// answers: Keeps that records ended of which nothing else is known. The lists are parallel.
// parameter: records LIST<STRING> digests of records
// parameter: times LIST<INTEGER> when, in milliseconds since 1970 UTC
// mode: write
// index: ended_record_record
UNWIND range(0, size($records) - 1) AS i
MERGE (e:EndedRecord {record: $records[i]})
SET e.at = datetime({epochMillis: $times[i]})
