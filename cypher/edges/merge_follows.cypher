// answers: Adds follows; of two with the same ends the greater (time, weight) stands, an unknown time being the earliest.
// parameter: followers LIST<INTEGER> nodes of those who follow; parallel with the lists below: one pair a position
// parameter: followees LIST<INTEGER> nodes of those who are followed
// parameter: weights LIST<FLOAT> weights of the ties
// parameter: times LIST<INTEGER> milliseconds since 1970 UTC, -1 where unknown
// parameter: v INTEGER graph version of this change
// column: created INTEGER follows that were not there
// column: updated INTEGER follows whose time or weight changed
// mode: write
UNWIND range(0, size($followers) - 1) AS i
MATCH (follower:Account) WHERE id(follower) = $followers[i]
MATCH (followee:Account) WHERE id(followee) = $followees[i]
OPTIONAL MATCH (follower)-[f:FOLLOWS]->(followee)
WITH follower, followee, f, coalesce(f.at.epochMillis, -1) AS known, $weights[i] AS weight, $times[i] AS time
WHERE f.weight IS NULL OR time > known OR (time = known AND weight > f.weight)
WITH follower, followee, f, weight, CASE WHEN time >= 0 THEN datetime({epochMillis: time}) END AS at
CALL (follower, followee, f, weight, at) {
  WITH * WHERE f IS NULL
  CREATE (follower)-[:FOLLOWS {weight: weight, at: at, v: $v}]->(followee)
  UNION ALL
  WITH * WHERE f IS NOT NULL
  SET f.weight = weight, f.at = at, f.v = $v
}
RETURN count(CASE WHEN f IS NULL THEN 1 END) AS created, count(f) AS updated
