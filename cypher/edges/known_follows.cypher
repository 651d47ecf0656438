// answers: Which of these follows are in the graph, with which weight and time?
// parameter: keys LIST<STRING> keys of the accounts concerned, each once, all in the graph
// parameter: followers LIST<INTEGER> positions in keys; parallel with the lists below: one follow a position
// parameter: followees LIST<INTEGER> positions in keys
// column: i INTEGER position in followers
// column: weight FLOAT weight of the tie
// column: at INTEGER when, in milliseconds since 1970 UTC, -1 where unknown
// mode: read
// index: account_key
UNWIND range(0, size($keys) - 1) AS i
MATCH (account:Account {key: $keys[i]})
WITH i, account ORDER BY i
WITH collect(account) AS accounts
UNWIND range(0, size($followers) - 1) AS i
WITH i, accounts[$followers[i]] AS follower, accounts[$followees[i]] AS followee

MATCH (follower)-[f:FOLLOWS]->(followee)
RETURN i, f.weight AS weight, coalesce(f.at.epochMillis, -1) AS at
