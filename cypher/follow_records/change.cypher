// answers: Changes what records say of follows. The lists are parallel: one record and pair a position.
// parameter: records LIST<STRING> digests of records
// parameter: followers LIST<INTEGER> nodes of those who follow
// parameter: followees LIST<INTEGER> nodes of those who are followed
// parameter: begun LIST<INTEGER> when they began, in milliseconds since 1970 UTC; -1 where only the end is known
// parameter: ended LIST<INTEGER> when they ended, in milliseconds since 1970 UTC; -1 where they have not
// parameter: weights LIST<FLOAT> weights of the ties
// parameter: ends_pair LIST<BOOLEAN> whether the end is that of all records of the pair that began until then
// mode: write
// index: follow_record_record
UNWIND range(0, size($records) - 1) AS i
MATCH (follower:Account)-[r:FOLLOW_RECORD {record: $records[i]}]->(followee:Account)
USING INDEX SEEK r:FOLLOW_RECORD(record)
WHERE id(follower) = $followers[i] AND id(followee) = $followees[i]
SET
  r.at = CASE WHEN $begun[i] >= 0 THEN datetime({epochMillis: $begun[i]}) END,
  r.ended_at = CASE WHEN $ended[i] >= 0 THEN datetime({epochMillis: $ended[i]}) END,
  r.weight = $weights[i], r.ends_pair = CASE WHEN $ends_pair[i] THEN true END
