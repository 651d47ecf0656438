// answers: Whom does an account follow?
// parameter: key STRING the account's key
// column: follower STRING key of who follows
// column: followee STRING key of who is followed
// column: weight FLOAT weight of the tie
// column: at INTEGER when, in milliseconds since 1970 UTC
// mode: read
// index: account_key
MATCH (a:Account {key: $key})-[f:FOLLOWS]->(b:Account)
RETURN a.key AS follower, b.key AS followee, coalesce(f.weight, 1.0) AS weight, f.at.epochMillis AS at
