// answers: Which follows do these records say that have not ended?
// parameter: records LIST<STRING> digests of records
// column: i INTEGER position in records
// column: follower STRING key of who follows
// column: followee STRING key of who is followed
// column: at INTEGER when it began, in milliseconds since 1970 UTC
// mode: read
// index: follow_record_record
UNWIND range(0, size($records) - 1) AS i
MATCH (a:Account)-[r:FOLLOW_RECORD {record: $records[i]}]->(b:Account)
USING INDEX r:FOLLOW_RECORD(record)
RETURN i, a.key AS follower, b.key AS followee, r.at.epochMillis AS at
