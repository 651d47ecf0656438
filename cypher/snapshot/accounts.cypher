// answers: All accounts, as parallel columns: one row for each range of their numbers.
// parameter: last INTEGER highest number
// parameter: step INTEGER how many numbers make a row
// column: n LIST<INTEGER> number of the account
// column: key LIST<STRING> its key
// column: handle LIST<STRING> its handle, empty where unknown
// column: opted_out LIST<BOOLEAN> whether it opted out
// column: followers LIST<INTEGER> reported followers, -1 where unknown
// mode: read
// index: account_n
UNWIND range(1, $last, $step) AS first
CALL (first) {
  MATCH (a:Account)
  USING INDEX a:Account(n)
  // collect() leaves out nulls, and the columns would no longer be parallel.
  WHERE a.n >= first AND a.n < first + $step AND a.key IS NOT NULL
  RETURN
    collect(a.n) AS n,
    collect(a.key) AS key,
    collect(coalesce(a.handle, '')) AS handle,
    collect(coalesce(a.opted_out, false)) AS opted_out,
    collect(coalesce(a.followers, -1)) AS followers
}
RETURN n, key, handle, opted_out, followers
