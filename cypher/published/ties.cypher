// answers: Ties as the graph has them now. The lists are parallel: one tie a position.
// parameter: follower LIST<STRING> keys of who follows or engages
// parameter: followee LIST<STRING> keys of whom
// column: follower STRING key
// column: followee STRING key
// column: follows BOOLEAN whether there is a follow
// column: followed_at DATETIME since when, null where not known
// column: first_engaged DATE first day with interactions, null without any
// column: last_engaged DATE last day with interactions, null without any
// mode: read
// index: account_key
UNWIND range(0, size($follower) - 1) AS i
MATCH (a:Account {key: $follower[i]})
USING INDEX a:Account(key)
MATCH (b:Account {key: $followee[i]})
USING INDEX b:Account(key)
OPTIONAL MATCH (a)-[f:FOLLOWS]->(b)
OPTIONAL MATCH (a)-[e:ENGAGED]->(b)
RETURN
  a.key AS follower,
  b.key AS followee,
  count(f) > 0 AS follows,
  // A list of all followers says that they follow, and not since when.
  max(CASE WHEN b.followers_complete_at IS NULL OR f.at <> b.followers_complete_at THEN f.at END) AS followed_at,
  min(e.day) AS first_engaged,
  max(e.day) AS last_engaged
