// answers: The accounts that are a brand's own, each once.
// column: account LIST<INTEGER> numbers of the accounts
// mode: read
// index: brand_key
MATCH (b:Brand)
USING INDEX b:Brand(key)
WHERE b.key >= ''
MATCH (a:Account)-[:ACCOUNT_OF]->(b)
WHERE a.n IS NOT NULL
RETURN collect(DISTINCT a.n) AS account
