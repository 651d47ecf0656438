// answers: Writes brands with their accounts and competitors. The lists are parallel: one brand a position.
// parameter: brand LIST<STRING> keys of brands
// parameter: name LIST<STRING> names
// parameter: accounts LIST<LIST> keys of their own accounts
// parameter: competitors LIST<LIST> keys of their competitors
// parameter: said LIST<LIST> when its fields were said, in milliseconds
// parameter: v INTEGER graph version of this change
// mode: write
// index: brand_key
// index: account_key
UNWIND range(0, size($brand) - 1) AS i
MATCH (b:Brand {key: $brand[i]})
SET b.name = $name[i], b.said = $said[i], b.v = $v
WITH b, coalesce($accounts[i], []) AS accounts, coalesce($competitors[i], []) AS competitors
CALL (b, accounts) {
  MATCH (a:Account)-[old:ACCOUNT_OF]->(b)
  WHERE NOT a.key IN accounts
  DELETE old
}
CALL (b, accounts) {
  UNWIND accounts AS key
  MATCH (a:Account {key: key})
  MERGE (a)-[own:ACCOUNT_OF]->(b)
  ON CREATE SET own.v = $v
}
CALL (b, competitors) {
  MATCH (b)-[old:COMPETES_WITH]->(c:Brand)
  WHERE NOT c.key IN competitors
  DELETE old
}
CALL (b, competitors) {
  UNWIND competitors AS key
  MATCH (c:Brand {key: key})
  MERGE (b)-[against:COMPETES_WITH]->(c)
  ON CREATE SET against.v = $v
}
