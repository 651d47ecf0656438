// answers: Who stopped following any of some accounts last? Who opted out is not named.
// parameter: targets LIST<STRING> keys of the accounts; that they followed each other does not count
// parameter: until ZONED DATETIME what happened before this moment counts
// parameter: most INTEGER how many at most
// column: account STRING key of who stopped
// column: handle STRING handle of the same, null where unknown
// column: followed STRING key of the account that it followed
// column: at ZONED DATETIME when
// mode: read
// index: account_key
UNWIND $targets AS target
MATCH (a:Account {key: target})
USING INDEX a:Account(key)
MATCH (a)<-[u:UNFOLLOWED]-(j)
// Times are asked for after WITH, so that it starts from each account, and not from all times by their index.
WITH a, j, u.at AS at
WHERE at < $until AND NOT j.key IN $targets AND NOT coalesce(j.opted_out, false)
RETURN j.key AS account, j.handle AS handle, a.key AS followed, at
ORDER BY at DESC, account, followed
LIMIT $most
