// answers: Removes the unfollows of pairs that follow again.
// parameter: keys LIST<STRING> keys of the accounts concerned, each once, all in the graph
// parameter: followers LIST<INTEGER> positions in keys; parallel with the lists below: one follow a position
// parameter: followees LIST<INTEGER> positions in keys
// mode: write
// index: account_key
UNWIND range(0, size($keys) - 1) AS i
MATCH (account:Account {key: $keys[i]})
WITH i, account ORDER BY i
WITH collect(account) AS accounts
UNWIND range(0, size($followers) - 1) AS i
WITH i, accounts[$followers[i]] AS follower, accounts[$followees[i]] AS followee

MATCH (follower)-[u:UNFOLLOWED]->(followee)
DELETE u
