// answers: Writes endorsements; of one that was withdrawn a tombstone stays. The lists are parallel: one a position.
// parameter: account LIST<STRING> keys of who endorses
// parameter: endorsed LIST<STRING> keys of who is endorsed
// parameter: topic LIST<STRING> about what, empty for everything
// parameter: withdrawn LIST<BOOLEAN> whether it was withdrawn
// parameter: said LIST<LIST> when, in milliseconds since 1970 UTC
// parameter: v INTEGER graph version of this change
// mode: write
// index: account_key
UNWIND range(0, size($account) - 1) AS i
MATCH (a:Account {key: $account[i]})
USING INDEX a:Account(key)
MATCH (b:Account {key: $endorsed[i]})
USING INDEX b:Account(key)
CALL (i, a, b) {
  MATCH (a)-[old:ENDORSES|WITHDREW {topic: $topic[i]}]->(b)
  DELETE old
}
CREATE (a)-[:$(CASE WHEN $withdrawn[i] THEN 'WITHDREW' ELSE 'ENDORSES' END) {
  topic: $topic[i], at: datetime({epochMillis: $said[i][0]}), v: $v
}]->(b)
