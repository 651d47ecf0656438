// answers: How does an account stand to brands?
// parameter: key STRING the account's key
// column: account STRING key of the account
// column: brand STRING key of the brand
// column: relation STRING employee, collaborator, customer or user
// column: since INTEGER when it began, in milliseconds since 1970 UTC
// column: until INTEGER when it ended, in milliseconds since 1970 UTC
// column: source STRING who says so
// column: said LIST<INTEGER> when its fields were said, in milliseconds
// mode: read
// index: account_key
MATCH (a:Account {key: $key})-[r:EMPLOYEE_OF|COLLABORATES_WITH|CUSTOMER_OF|USES]->(b:Brand)
RETURN
  a.key AS account, b.key AS brand,
  {EMPLOYEE_OF: 'employee', COLLABORATES_WITH: 'collaborator', CUSTOMER_OF: 'customer', USES: 'user'}[type(r)] AS relation,
  r.since.epochMillis AS since, r.until.epochMillis AS until, r.source AS source, r.said AS said
