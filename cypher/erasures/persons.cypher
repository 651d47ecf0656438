// answers: Which persons is an account of?
// parameter: key STRING the account's key
// column: person STRING key of a person
// mode: read
// index: account_key
MATCH (a:Account {key: $key})<-[:HAS]-(p:Person)
RETURN p.key AS person
