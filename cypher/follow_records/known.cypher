// answers: Which follows do these records say, since when, and until when?
// parameter: records LIST<STRING> digests of records
// column: i INTEGER position in records
// column: follower STRING key of who follows
// column: followee STRING key of who is followed
// column: at INTEGER when it began, in milliseconds since 1970 UTC; null where only its end is known
// column: ended_at INTEGER when it ended, in milliseconds since 1970 UTC; null where it has not
// column: weight FLOAT weight of the tie
// column: ends_pair BOOLEAN whether its end is that of all records of the pair that began until then
// mode: read
// index: follow_record_record
UNWIND range(0, size($records) - 1) AS i
MATCH (a:Account)-[r:FOLLOW_RECORD {record: $records[i]}]->(b:Account)
USING INDEX SEEK r:FOLLOW_RECORD(record)
RETURN
  i, a.key AS follower, b.key AS followee, r.at.epochMillis AS at, r.ended_at.epochMillis AS ended_at,
  r.weight AS weight, coalesce(r.ends_pair, false) AS ends_pair
