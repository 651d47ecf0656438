// answers: All follows that ended, in order of the keys of their ends.
// column: follower STRING key of who followed
// column: followee STRING key of who was followed
// column: at INTEGER when, in milliseconds since 1970 UTC
// mode: read
// index: account_key
MATCH (a:Account)
USING INDEX a:Account(key)
WHERE a.key >= ''
MATCH (a)-[u:UNFOLLOWED]->(b:Account)
RETURN a.key AS follower, b.key AS followee, u.at.epochMillis AS at
ORDER BY follower, followee
