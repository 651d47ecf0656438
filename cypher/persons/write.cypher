// answers: Writes that accounts belong to persons. The lists are parallel: one account a position.
// parameter: person LIST<STRING> keys of persons
// parameter: account LIST<STRING> keys of accounts
// parameter: v INTEGER graph version of this change
// mode: write
// index: person_key
// index: account_key
UNWIND range(0, size($person) - 1) AS i
MATCH (a:Account {key: $account[i]})
USING INDEX a:Account(key)
MERGE (p:Person {key: $person[i]})
ON CREATE SET p.v = $v
CREATE (p)-[:HAS {v: $v}]->(a)
