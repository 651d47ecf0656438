// answers: Which accounts are a brand's own?
// parameter: brand STRING the brand's key
// column: account STRING key of the account
// mode: read
// index: brand_key
MATCH (b:Brand {key: $brand})
USING INDEX b:Brand(key)
MATCH (a:Account)-[:ACCOUNT_OF]->(b)
RETURN DISTINCT a.key AS account
ORDER BY account
