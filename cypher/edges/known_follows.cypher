// answers: Which of these follows are in the graph, with which weight and time?
// parameter: followers LIST<INTEGER> nodes of those who follow; parallel with the lists below: one pair a position
// parameter: followees LIST<INTEGER> nodes of those who are followed
// column: i INTEGER position in followers
// column: weight FLOAT weight of the tie
// column: at INTEGER when, in milliseconds since 1970 UTC, -1 where unknown
// mode: read
UNWIND range(0, size($followers) - 1) AS i
MATCH (follower:Account) WHERE id(follower) = $followers[i]
MATCH (followee:Account) WHERE id(followee) = $followees[i]
MATCH (follower)-[f:FOLLOWS]->(followee)
RETURN i, f.weight AS weight, coalesce(f.at.epochMillis, -1) AS at
