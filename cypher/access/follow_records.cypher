// answers: Which follows by and of an account does the graph know by an id that its network gave them?
// parameter: key STRING the account's key
// column: follower STRING key of who follows
// column: followee STRING key of who is followed
// column: record STRING digest of the id
// column: at INTEGER when it began, in milliseconds since 1970 UTC; null where only its end is known
// column: ended_at INTEGER when it ended, in milliseconds since 1970 UTC; null where it has not
// mode: read
// index: account_key
MATCH (x:Account {key: $key})-[r:FOLLOW_RECORD]-()
RETURN
  startNode(r).key AS follower, endNode(r).key AS followee, r.record AS record, r.at.epochMillis AS at,
  r.ended_at.epochMillis AS ended_at
