// answers: What is known of these brands? The graph need not have all of them.
// parameter: brand LIST<STRING> keys of brands
// column: i INTEGER position in brand
// column: name STRING its name
// column: accounts LIST<STRING> keys of its own accounts
// column: competitors LIST<STRING> keys of its competitors
// column: said LIST<INTEGER> when its fields were said, in milliseconds
// mode: read
// index: brand_key
UNWIND range(0, size($brand) - 1) AS i
MATCH (b:Brand {key: $brand[i]})
RETURN
  i, b.name AS name, [(a:Account)-[:ACCOUNT_OF]->(b) | a.key] AS accounts,
  [(b)-[:COMPETES_WITH]->(c:Brand) | c.key] AS competitors, b.said AS said
