// answers: Notes that follows of these accounts of a time or later are all there are, and ends others 1 ms before it.
// parameter: keys LIST<STRING> keys of the accounts that are followed, each once, all in the graph
// parameter: times LIST<INTEGER> times of the complete lists, in milliseconds since 1970 UTC; parallel to keys
// parameter: v INTEGER graph version of this change
// column: ended INTEGER follows that were there and have ended
// mode: write
// index: graph_id
// index: account_key
MATCH (g:Graph {id: 1})
SET g.complete_lists = true
WITH g
UNWIND range(0, size($keys) - 1) AS i
MATCH (account:Account {key: $keys[i]})
SET account.followers_complete_at = datetime({epochMillis: $times[i]}), account.v = $v
WITH account, $times[i] AS time
CALL (account, time) {
  MATCH (account)<-[u:UNFOLLOWED]-()
  WHERE u.at.epochMillis < time - 1
  SET u.at = datetime({epochMillis: time - 1}), u.of_records = null, u.v = $v
}
CALL (account, time) {
  // Since when these are is not known any more: whoever reads only what changed has to see that.
  MATCH (account)<-[f:FOLLOWS]-()
  WHERE f.at.epochMillis = time
  SET f.v = $v
}
CALL (account, time) {
  MATCH (account)<-[f:FOLLOWS]-(follower)
  WHERE coalesce(f.at.epochMillis, -1) < time
  DELETE f
  CREATE (follower)-[:UNFOLLOWED {at: datetime({epochMillis: time - 1}), v: $v}]->(account)
  RETURN count(*) AS left
}
RETURN sum(left) AS ended
