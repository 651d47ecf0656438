// answers: Ends follows and leaves a tombstone, unless a later follow is known.
// parameter: followers LIST<INTEGER> nodes of those who follow; parallel with the lists below: one pair a position
// parameter: followees LIST<INTEGER> nodes of those who are followed
// parameter: times LIST<INTEGER> milliseconds since 1970 UTC
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
SET u.at = datetime({epochMillis: $times[i]}), u.v = $v
