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
  MATCH (a)<-[f:FOLLOWS]-(j:Account)
  WHERE (f.at IS NULL OR f.at < $until) AND NOT j.key IN $targets
  RETURN f.at AS at, 1 AS gained, 0 AS lost
  UNION ALL
  MATCH (a)<-[u:UNFOLLOWED]-(j:Account)
  WHERE u.at < $until AND NOT j.key IN $targets
  RETURN u.at AS at, 0 AS gained, 1 AS lost
}
RETURN toInteger(floor(at.epochMillis / 86400000.0)) AS day, sum(gained) AS gained, sum(lost) AS lost
ORDER BY day
