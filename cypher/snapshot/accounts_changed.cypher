// answers: Accounts that changed after a version, as parallel columns.
// parameter: after INTEGER the version
// column: n LIST<INTEGER> number of the account
// column: key LIST<STRING> its key
// column: handle LIST<STRING> its handle, empty where unknown
// column: opted_out LIST<BOOLEAN> whether it opted out
// column: followers LIST<INTEGER> reported followers, -1 where unknown
// column: bio LIST<STRING> what it says of itself, empty where unknown
// mode: read
// index: account_v
MATCH (a:Account)
USING INDEX a:Account(v)
WHERE a.v > $after AND a.n IS NOT NULL AND a.key IS NOT NULL
RETURN
  collect(a.n) AS n,
  collect(a.key) AS key,
  collect(coalesce(a.handle, '')) AS handle,
  collect(coalesce(a.opted_out, false)) AS opted_out,
  collect(coalesce(a.followers, -1)) AS followers,
  collect(coalesce(a.bio, '')) AS bio
