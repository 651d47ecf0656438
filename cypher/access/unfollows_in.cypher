// answers: Who no longer follows an account?
// parameter: key STRING the account's key
// column: follower STRING key of who followed
// column: followee STRING key of who was followed
// column: at INTEGER when it ended, in milliseconds since 1970 UTC
// mode: read
// index: account_key
MATCH (a:Account {key: $key})<-[u:UNFOLLOWED]-(b:Account)
RETURN b.key AS follower, a.key AS followee, u.at.epochMillis AS at
