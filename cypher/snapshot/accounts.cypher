// answers: All accounts, as parallel columns: one row for each range of their numbers.
// parameter: first INTEGER lowest number of an account, where the first range begins
// parameter: last INTEGER highest number of an account
// parameter: step INTEGER how many numbers make a row
// parameter: stride INTEGER how far apart ranges begin: a multiple of step leaves some to other readers
// column: id LIST<INTEGER> id of the account within Neo4j
// column: n LIST<INTEGER> number of the account
// column: key LIST<STRING> its key
// column: handle LIST<STRING> its handle, empty where unknown
// column: opted_out LIST<BOOLEAN> whether it opted out
// column: followers LIST<INTEGER> reported followers, -1 where unknown
// column: bio LIST<STRING> what it says of itself, empty where unknown
// mode: read
// index: account_n
UNWIND range($first, $last, $stride) AS first
CALL (first) {
  MATCH (a:Account)
  USING INDEX a:Account(n)
  // collect() leaves out nulls, and the columns would no longer be parallel.
  WHERE a.n >= first AND a.n < first + $step AND a.key IS NOT NULL
  RETURN
    collect(id(a)) AS id,
    collect(a.n) AS n,
    collect(a.key) AS key,
    collect(coalesce(a.handle, '')) AS handle,
    collect(coalesce(a.opted_out, false)) AS opted_out,
    collect(coalesce(a.followers, -1)) AS followers,
    collect(coalesce(a.bio, '')) AS bio
}
RETURN id, n, key, handle, opted_out, followers, bio
