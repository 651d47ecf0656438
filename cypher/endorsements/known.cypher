// answers: Which of these endorsements were given or withdrawn, and when last?
// parameter: account LIST<STRING> keys of who endorses
// parameter: endorsed LIST<STRING> keys of who is endorsed
// parameter: topic LIST<STRING> about what, empty for everything
// column: i INTEGER position in the lists
// column: withdrawn BOOLEAN whether it was withdrawn
// column: said LIST<INTEGER> when, in milliseconds since 1970 UTC
// mode: read
// index: account_key
UNWIND range(0, size($account) - 1) AS i
MATCH (a:Account {key: $account[i]})
USING INDEX a:Account(key)
MATCH (b:Account {key: $endorsed[i]})
USING INDEX b:Account(key)
MATCH (a)-[r:ENDORSES|WITHDREW {topic: $topic[i]}]->(b)
RETURN i, type(r) = 'WITHDREW' AS withdrawn, [r.at.epochMillis] AS said
