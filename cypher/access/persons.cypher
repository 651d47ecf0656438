// answers: To which persons does an account belong, and which accounts do they have?
// parameter: key STRING the account's key
// column: person STRING key of the person
// column: account STRING key of one of their accounts
// column: said LIST<INTEGER> nothing: that never changes
// mode: read
// index: account_key
MATCH (:Account {key: $key})<-[:HAS]-(p:Person)
// As a statement of its own: within one pattern a relationship is found once, and so would not be the account's own.
MATCH (p)-[:HAS]->(a:Account)
RETURN DISTINCT p.key AS person, a.key AS account, null AS said
ORDER BY person, account
