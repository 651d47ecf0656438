// answers: Of which brands is it the own account?
// parameter: key STRING the account's key
// column: brand STRING key of the brand
// column: name STRING its name
// column: account STRING key of the account
// mode: read
// index: account_key
MATCH (a:Account {key: $key})-[:ACCOUNT_OF]->(b:Brand)
RETURN b.key AS brand, b.name AS name, a.key AS account
ORDER BY brand
