// answers: Who stopped following all of some accounts last? Who opted out is not named.
// parameter: targets LIST<STRING> keys of the accounts; that they followed each other does not count
// parameter: until ZONED DATETIME what happened before this moment counts
// parameter: most INTEGER how many at most
// column: account STRING key of who stopped
// column: handle STRING handle of the same, null where unknown
// column: followed STRING key of the account that it followed last; null where that opted out
// column: at ZONED DATETIME when
// mode: read
// index: account_key
UNWIND $targets AS target
MATCH (a:Account {key: target})
USING INDEX a:Account(key)
WITH collect(a) AS targets
UNWIND targets AS a
MATCH (a)<-[u:UNFOLLOWED]-(j)
// Times are asked for after WITH, so that it starts from each account, and not from all times by their index.
WITH targets, a, j, u.at AS at
WHERE
  at < $until AND NOT j.key IN $targets AND NOT coalesce(j.opted_out, false)
  // Who is not in a list of all followers stopped at some time before it: nobody knows when.
  AND NOT coalesce(at = a.followers_complete_at - duration({milliseconds: 1}), false)
  AND NOT EXISTS { MATCH (j)-[:FOLLOWS]->(o) WHERE o IN targets }
WITH j, a, at
ORDER BY at DESC, a.key
WITH j, collect({at: at, followed: CASE WHEN NOT coalesce(a.opted_out, false) THEN a.key END})[0] AS latest
RETURN j.key AS account, j.handle AS handle, latest.followed AS followed, latest.at AS at
ORDER BY at DESC, account
LIMIT $most
