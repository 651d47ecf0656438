// answers: All follows, as parallel columns: one row for each range of the followers' numbers.
// parameter: first INTEGER lowest number of an account, where the first range begins
// parameter: last INTEGER highest number of an account
// parameter: step INTEGER how many numbers make a row
// parameter: stride INTEGER how far apart ranges begin: a multiple of step leaves some to other readers
// column: source LIST<INTEGER> number of the follower
// column: target LIST<INTEGER> number of the followee
// column: weight LIST<FLOAT> weight of the tie
// column: at LIST<INTEGER> time in milliseconds since 1970 UTC, -1 where unknown
// mode: read
// index: account_n
UNWIND range($first, $last, $stride) AS first
CALL (first) {
  MATCH (a:Account)-[f:FOLLOWS]->(b:Account)
  USING INDEX a:Account(n)
  // collect() leaves out nulls, and the columns would no longer be parallel.
  WHERE a.n >= first AND a.n < first + $step AND b.n IS NOT NULL
  RETURN
    collect(a.n) AS source,
    collect(b.n) AS target,
    collect(coalesce(f.weight, 1.0)) AS weight,
    collect(coalesce(f.at.epochMillis, -1)) AS at
}
RETURN source, target, weight, at
