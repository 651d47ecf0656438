// answers: Ends follows and leaves a tombstone, unless a later follow is known.
// parameter: followers LIST<INTEGER> nodes of those who follow; parallel with the lists below: one pair a position
// parameter: followees LIST<INTEGER> nodes of those who are followed
// parameter: times LIST<INTEGER> milliseconds since 1970 UTC
// parameter: of_records BOOLEAN whether they ended because all records of the pairs did
// parameter: v INTEGER graph version of this change
// mode: write
UNWIND range(0, size($followers) - 1) AS i
MATCH (follower:Account) WHERE id(follower) = $followers[i]
MATCH (followee:Account) WHERE id(followee) = $followees[i]
CALL (follower, followee) {
  MATCH (follower)-[f:FOLLOWS]->(followee)
  DELETE f
}
MERGE (follower)-[u:UNFOLLOWED]->(followee)
ON CREATE SET u.of_records = CASE WHEN $of_records THEN true END
ON MATCH SET u.of_records = CASE WHEN $of_records THEN u.of_records END
SET u.at = datetime({epochMillis: $times[i]}), u.v = $v
