// answers: Accounts in a range of numbers, as parallel columns.
// parameter: first INTEGER lowest number
// parameter: last INTEGER number after the highest
// column: n LIST<INTEGER> number of the account
// column: key LIST<STRING> its key
// column: handle LIST<STRING> its handle, empty where unknown
// column: opted_out LIST<BOOLEAN> whether it opted out
// column: followers LIST<INTEGER> reported followers, -1 where unknown
// mode: read
// index: account_n
MATCH (a:Account)
WHERE a.n >= $first AND a.n < $last
RETURN
  collect(a.n) AS n,
  collect(a.key) AS key,
  collect(coalesce(a.handle, '')) AS handle,
  collect(coalesce(a.opted_out, false)) AS opted_out,
  collect(coalesce(a.followers, -1)) AS followers
