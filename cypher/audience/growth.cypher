// answers: On which days did how many begin to follow any of some accounts, and how many stop to follow all of them?
// parameter: targets LIST<STRING> keys of the accounts; that they follow each other does not count
// parameter: until ZONED DATETIME what happened before this moment counts
// column: day INTEGER in days since 1970 UTC; null where nobody knows when it was
// column: gained INTEGER accounts that began on it to follow the first of them and still follow one
// column: lost INTEGER accounts that stopped on it to follow the last of them
// mode: read
// index: account_key
UNWIND $targets AS target
MATCH (a:Account {key: target})
USING INDEX a:Account(key)
WITH collect(a) AS targets
CALL (targets) {
  UNWIND targets AS a
  MATCH (a)<-[f:FOLLOWS]-(j)
  // A list of all followers says of each that it follows at that time, and not since when.
  WITH j, f.at AS at, a.followers_complete_at AS listed
  WITH j, CASE WHEN at < $until AND (listed IS NULL OR at > listed) THEN at END AS at
  WHERE NOT j.key IN $targets
  WITH j, count(*) AS ties, count(at) AS known, min(at) AS first
  RETURN CASE WHEN ties = known THEN first END AS at, 1 AS gained, 0 AS lost
  UNION ALL
  // Times are asked for after WITH, so that it starts from each account, and not from all times by their index.
  UNWIND targets AS a
  MATCH (a)<-[u:UNFOLLOWED]-(j)
  WITH targets, a, j, u.at AS at
  WHERE at < $until AND NOT j.key IN $targets AND NOT EXISTS { MATCH (j)-[:FOLLOWS]->(o) WHERE o IN targets }
  // Who is not in a list of all followers stopped at some time before it.
  WITH j, at, at = a.followers_complete_at - duration({milliseconds: 1}) AS listed
  ORDER BY at
  WITH j, collect({at: at, listed: coalesce(listed, false)})[-1] AS latest
  RETURN CASE WHEN NOT latest.listed THEN latest.at END AS at, 0 AS gained, 1 AS lost
}
RETURN toInteger(floor(at.epochMillis / 86400000.0)) AS day, sum(gained) AS gained, sum(lost) AS lost
ORDER BY day
