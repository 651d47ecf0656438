// answers: Keeps which follow a record says, and the earliest time of which that is known. The lists are parallel.
// parameter: records LIST<STRING> digests of records
// parameter: followers LIST<INTEGER> nodes of those who follow
// parameter: followees LIST<INTEGER> nodes of those who are followed
// parameter: times LIST<INTEGER> when they began, in milliseconds since 1970 UTC
// mode: write
UNWIND range(0, size($records) - 1) AS i
MATCH (follower:Account) WHERE id(follower) = $followers[i]
MATCH (followee:Account) WHERE id(followee) = $followees[i]
MERGE (follower)-[r:FOLLOW_RECORD {record: $records[i]}]->(followee)
SET r.at = datetime({epochMillis: $times[i]})
