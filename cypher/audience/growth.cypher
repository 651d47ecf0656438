// answers: On which days did how many begin to follow some accounts, and how many stop?
// parameter: targets LIST<STRING> keys of the accounts; that they follow each other does not count
// parameter: until ZONED DATETIME what happened before this moment counts
// column: day INTEGER in days since 1970 UTC; null of follows of which nobody knows when they began
// column: gained INTEGER follows that began on it and still stand
// column: lost INTEGER follows that ended on it
// mode: read
// index: account_key
UNWIND $targets AS target
MATCH (a:Account {key: target})
USING INDEX a:Account(key)
CALL (a) {
  MATCH (a)<-[f:FOLLOWS]-(j)
  WITH j, f.at AS at
  WHERE (at IS NULL OR at < $until) AND NOT j.key IN $targets
  RETURN at, 1 AS gained, 0 AS lost
  UNION ALL
  // Times are asked for after WITH, so that it starts from each account, and not from all times by their index.
  MATCH (a)<-[u:UNFOLLOWED]-(j)
  WITH j, u.at AS at
  WHERE at < $until AND NOT j.key IN $targets
  RETURN at, 0 AS gained, 1 AS lost
}
RETURN toInteger(floor(at.epochMillis / 86400000.0)) AS day, sum(gained) AS gained, sum(lost) AS lost
ORDER BY day
