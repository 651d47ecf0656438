// answers: All follows of some accounts, as parallel columns in one row.
// parameter: accounts LIST<INTEGER> ids of the accounts within Neo4j
// column: source LIST<INTEGER> id of who follows
// column: target LIST<INTEGER> id of who is followed
// column: weight LIST<FLOAT> weight of the tie
// column: at LIST<INTEGER> when, in milliseconds since 1970 UTC, -1 where unknown
// mode: read
UNWIND $accounts AS account
MATCH (a)
WHERE id(a) = account
MATCH (a)-[f:FOLLOWS]->(b)
RETURN
  collect(account) AS source,
  collect(id(b)) AS target,
  collect(coalesce(f.weight, 1.0)) AS weight,
  collect(coalesce(f.at.epochMillis, -1)) AS at
