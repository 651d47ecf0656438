// answers: What is known of these relations of accounts to brands?
// parameter: account LIST<STRING> keys of accounts
// parameter: brand LIST<STRING> keys of brands
// parameter: relation LIST<STRING> employee, collaborator, customer or user
// column: i INTEGER position in the lists
// column: since INTEGER when it began, in milliseconds since 1970 UTC
// column: until INTEGER when it ended, in milliseconds since 1970 UTC
// column: source STRING who says so
// column: said LIST<INTEGER> when its fields were said, in milliseconds
// mode: read
// index: account_key
// index: brand_key
UNWIND range(0, size($account) - 1) AS i
MATCH (a:Account {key: $account[i]})
USING INDEX a:Account(key)
MATCH (b:Brand {key: $brand[i]})
USING INDEX b:Brand(key)
MATCH (a)-[r:EMPLOYEE_OF|COLLABORATES_WITH|CUSTOMER_OF|USES]->(b)
WHERE type(r) = {employee: 'EMPLOYEE_OF', collaborator: 'COLLABORATES_WITH', customer: 'CUSTOMER_OF', user: 'USES'}[$relation[i]]
RETURN i, r.since.epochMillis AS since, r.until.epochMillis AS until, r.source AS source, r.said AS said
