// answers: Which of these pairs have an unfollow, and of when?
// parameter: followers LIST<INTEGER> nodes of those who follow; parallel with the lists below: one pair a position
// parameter: followees LIST<INTEGER> nodes of those who are followed
// column: i INTEGER position in followers
// column: at INTEGER when, in milliseconds since 1970 UTC
// mode: read
UNWIND range(0, size($followers) - 1) AS i
MATCH (follower:Account) WHERE id(follower) = $followers[i]
MATCH (followee:Account) WHERE id(followee) = $followees[i]
MATCH (follower)-[u:UNFOLLOWED]->(followee)
RETURN i, u.at.epochMillis AS at
