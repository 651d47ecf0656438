// answers: Which of these accounts are known to belong to these persons?
// parameter: person LIST<STRING> keys of persons
// parameter: account LIST<STRING> keys of accounts
// column: i INTEGER position in the lists
// column: said LIST<INTEGER> nothing: that never changes
// mode: read
// index: person_key
// index: account_key
UNWIND range(0, size($person) - 1) AS i
MATCH (p:Person {key: $person[i]})
USING INDEX p:Person(key)
MATCH (a:Account {key: $account[i]})
USING INDEX a:Account(key)
MATCH (p)-[:HAS]->(a)
RETURN i, null AS said
