// answers: Follows of the accounts in a range of numbers, as parallel columns.
// parameter: first INTEGER lowest number of a follower
// parameter: last INTEGER number after the highest
// column: source LIST<INTEGER> number of the follower
// column: target LIST<INTEGER> number of the followee
// column: weight LIST<FLOAT> weight of the tie
// column: at LIST<INTEGER> time in milliseconds since 1970 UTC, -1 where unknown
// mode: read
// index: account_n
MATCH (a:Account)-[f:FOLLOWS]->(b:Account)
WHERE a.n >= $first AND a.n < $last
RETURN
  collect(a.n) AS source,
  collect(b.n) AS target,
  collect(toFloat(coalesce(f.weight, 1))) AS weight,
  collect(coalesce(f.at.epochMillis, -1)) AS at
