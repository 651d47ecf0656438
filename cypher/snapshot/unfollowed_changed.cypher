// answers: Follows that ended after a version, as parallel columns.
// parameter: after INTEGER the version
// column: source LIST<INTEGER> number of who followed
// column: target LIST<INTEGER> number of who was followed
// column: latest INTEGER when the last of them ended, in milliseconds since 1970 UTC, -1 where there is none
// mode: read
// index: unfollowed_v
MATCH (a:Account)-[u:UNFOLLOWED]->(b:Account)
USING INDEX u:UNFOLLOWED(v)
WHERE u.v > $after AND a.n IS NOT NULL AND b.n IS NOT NULL
RETURN
  collect(a.n) AS source,
  collect(b.n) AS target,
  coalesce(max(u.at.epochMillis), -1) AS latest
