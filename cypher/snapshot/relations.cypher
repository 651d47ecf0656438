// answers: All relations of accounts to brands, as parallel columns: one row for each range of the accounts' numbers.
// parameter: step INTEGER how many numbers make a row
// column: account LIST<INTEGER> number of the account
// column: brand LIST<STRING> key of the brand
// column: relation LIST<INTEGER> 0 employee, 1 collaborator, 2 customer, 3 user
// column: since LIST<INTEGER> when it began, in milliseconds since 1970 UTC, -1 where absent
// column: until LIST<INTEGER> when it ended, likewise
// mode: read
// index: brand_key
MATCH (b:Brand)
USING INDEX b:Brand(key)
WHERE b.key >= ''
MATCH (a:Account)-[r:EMPLOYEE_OF|COLLABORATES_WITH|CUSTOMER_OF|USES]->(b)
// collect() leaves out nulls, and the columns would no longer be parallel.
WHERE a.n IS NOT NULL
WITH
  a.n / $step AS part,
  collect(a.n) AS account,
  collect(b.key) AS brand,
  collect(CASE type(r) WHEN 'EMPLOYEE_OF' THEN 0 WHEN 'COLLABORATES_WITH' THEN 1 WHEN 'CUSTOMER_OF' THEN 2 ELSE 3 END)
    AS relation,
  collect(coalesce(r.since.epochMillis, -1)) AS since,
  collect(coalesce(r.until.epochMillis, -1)) AS until
RETURN account, brand, relation, since, until
