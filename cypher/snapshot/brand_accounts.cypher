// answers: The accounts that are a brand's own, as parallel columns: each once for each of its brands.
// column: account LIST<INTEGER> number of the account
// column: brand LIST<STRING> key of the brand
// mode: read
// index: brand_key
MATCH (b:Brand)
USING INDEX b:Brand(key)
WHERE b.key >= ''
MATCH (a:Account)-[:ACCOUNT_OF]->(b)
WHERE a.n IS NOT NULL
WITH DISTINCT a.n AS account, b.key AS brand
RETURN collect(account) AS account, collect(brand) AS brand
