// answers: Which of these pairs have an unfollow because all their records ended?
// parameter: followers LIST<INTEGER> nodes of those who follow; parallel with the list below: one pair a position
// parameter: followees LIST<INTEGER> nodes of those who are followed
// column: i INTEGER position in followers
// mode: read
UNWIND range(0, size($followers) - 1) AS i
MATCH (follower:Account) WHERE id(follower) = $followers[i]
MATCH (followee:Account) WHERE id(followee) = $followees[i]
CALL (follower, followee) {
  MATCH (follower)-[u:UNFOLLOWED {of_records: true}]->(followee)
  RETURN u
}
RETURN i
