// answers: When was each of some accounts last active, and what do they say of themselves? Of who opted out the latter is null.
// parameter: keys LIST<STRING> keys of the accounts
// parameter: last DATE the last day that counts
// parameter: until ZONED DATETIME its end
// column: key STRING key
// column: network STRING network
// column: lang STRING language, null where unknown
// column: location STRING place, null where unknown
// column: day INTEGER the last day on which it posted or engaged, in days since 1970 UTC; null where it was never seen
// mode: read
// index: account_key
UNWIND $keys AS key
MATCH (j:Account {key: key})
USING INDEX j:Account(key)
// Days are asked for after WITH, so that it starts from each account, and not from all days by their index.
CALL (j) {
  MATCH (j)-[e:ENGAGED]->(o)
  WITH j, o, e, e.day AS day
  WHERE
    o <> j AND day <= $last
    AND coalesce(e.likes, 0) + coalesce(e.replies, 0) + coalesce(e.mentions, 0) + coalesce(e.reposts, 0) > 0
  RETURN duration.inDays(date('1970-01-01'), max(day)).days AS engaged
}
CALL (j) {
  MATCH (j)-[:POSTED]->(p)
  WITH p.at AS at
  WHERE at < $until
  RETURN toInteger(floor(max(at).epochMillis / 86400000.0)) AS posted
}
WITH j, CASE WHEN engaged > coalesce(posted, engaged - 1) THEN engaged ELSE posted END AS day
WITH j, day, coalesce(j.opted_out, false) AS hidden
RETURN
  j.key AS key, j.network AS network,
  CASE WHEN NOT hidden THEN j.lang END AS lang, CASE WHEN NOT hidden THEN j.location END AS location, day
