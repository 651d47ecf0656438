// answers: What do all records say of these pairs?
// parameter: followers LIST<INTEGER> nodes of those who follow; parallel with the list below: one pair a position
// parameter: followees LIST<INTEGER> nodes of those who are followed
// column: i INTEGER position in followers
// column: at INTEGER when the follow began, in milliseconds since 1970 UTC; null where only its end is known
// column: ended_at INTEGER when it ended, in milliseconds since 1970 UTC; null where it has not
// column: weight FLOAT weight of the tie
// column: ends_pair BOOLEAN whether its end is that of all records of the pair that began until then
// mode: read
UNWIND range(0, size($followers) - 1) AS i
MATCH (follower:Account) WHERE id(follower) = $followers[i]
MATCH (followee:Account) WHERE id(followee) = $followees[i]
CALL (follower, followee) {
  // By itself: from both ends at once, so that whoever is followed by very many costs no more than others.
  MATCH (follower)-[r:FOLLOW_RECORD]->(followee)
  RETURN r
}
RETURN
  i, r.at.epochMillis AS at, r.ended_at.epochMillis AS ended_at, r.weight AS weight,
  coalesce(r.ends_pair, false) AS ends_pair
