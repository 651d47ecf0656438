// answers: All brands with their accounts and competitors, in order of their keys.
// column: brand STRING key of the brand
// column: name STRING its name
// column: accounts LIST<STRING> keys of its own accounts
// column: competitors LIST<STRING> keys of its competitors
// column: said LIST<INTEGER> when its fields were said, in milliseconds
// mode: read
// index: brand_key
MATCH (b:Brand)
USING INDEX b:Brand(key)
WHERE b.key >= ''
RETURN
  b.key AS brand, b.name AS name, [(a:Account)-[:ACCOUNT_OF]->(b) | a.key] AS accounts,
  [(b)-[:COMPETES_WITH]->(c:Brand) | c.key] AS competitors, b.said AS said
ORDER BY brand
