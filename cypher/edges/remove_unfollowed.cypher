// answers: Removes the unfollows of pairs that follow again.
// parameter: followers LIST<INTEGER> nodes of those who follow; parallel with the lists below: one pair a position
// parameter: followees LIST<INTEGER> nodes of those who are followed
// mode: write
UNWIND range(0, size($followers) - 1) AS i
MATCH (follower:Account) WHERE id(follower) = $followers[i]
MATCH (followee:Account) WHERE id(followee) = $followees[i]
MATCH (follower)-[u:UNFOLLOWED]->(followee)
DELETE u
