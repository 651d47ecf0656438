// answers: Ends follows and leaves a tombstone, unless a later follow is known.
// parameter: keys LIST<STRING> keys of the accounts concerned, each once, all in the graph
// parameter: followers LIST<INTEGER> positions in keys; parallel with the lists below: one follow a position
// parameter: followees LIST<INTEGER> positions in keys
// parameter: times LIST<INTEGER> milliseconds since 1970 UTC
// parameter: v INTEGER graph version of this change
// mode: write
// index: account_key
UNWIND range(0, size($keys) - 1) AS i
MATCH (account:Account {key: $keys[i]})
WITH i, account ORDER BY i
WITH collect(account) AS accounts
UNWIND range(0, size($followers) - 1) AS i
WITH $times[i] AS time, accounts[$followers[i]] AS follower, accounts[$followees[i]] AS followee

CALL (follower, followee) {
  MATCH (follower)-[f:FOLLOWS]->(followee)
  DELETE f
}
MERGE (follower)-[u:UNFOLLOWED]->(followee)
SET u.at = datetime({epochMillis: time}), u.v = $v
