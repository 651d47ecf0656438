// answers: Writes relations of accounts to brands. The lists are parallel: one relation a position.
// parameter: account LIST<STRING> keys of accounts
// parameter: brand LIST<STRING> keys of brands
// parameter: relation LIST<STRING> employee, collaborator, customer or user
// parameter: since LIST<INTEGER> when they began, in milliseconds since 1970 UTC
// parameter: until LIST<INTEGER> when they ended, in milliseconds since 1970 UTC
// parameter: source LIST<STRING> who says so
// parameter: said LIST<LIST> when its fields were said, in milliseconds
// parameter: v INTEGER graph version of this change
// mode: write
// index: account_key
// index: brand_key
UNWIND range(0, size($account) - 1) AS i
MATCH (a:Account {key: $account[i]})
USING INDEX a:Account(key)
MATCH (b:Brand {key: $brand[i]})
USING INDEX b:Brand(key)
MERGE (a)-[r:$({employee: 'EMPLOYEE_OF', collaborator: 'COLLABORATES_WITH', customer: 'CUSTOMER_OF', user: 'USES'}[$relation[i]])]->(b)
SET
  r.since = CASE WHEN $since[i] IS NOT NULL THEN datetime({epochMillis: $since[i]}) END,
  r.until = CASE WHEN $until[i] IS NOT NULL THEN datetime({epochMillis: $until[i]}) END,
  r.source = $source[i], r.said = $said[i], r.v = $v
