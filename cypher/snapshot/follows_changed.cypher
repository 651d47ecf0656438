// answers: Follows that changed after a version, as parallel columns.
// parameter: after INTEGER the version
// column: source LIST<INTEGER> number of the follower
// column: target LIST<INTEGER> number of the followee
// column: weight LIST<FLOAT> weight of the tie
// column: day LIST<INTEGER> since when, in days since 1970 UTC, -1 where unknown, as of who is in a whole list
// column: latest INTEGER time of the latest of them in milliseconds since 1970 UTC, -1 where no time is known
// mode: read
// index: follows_v
MATCH (a:Account)-[f:FOLLOWS]->(b:Account)
USING INDEX f:FOLLOWS(v)
WHERE f.v > $after AND a.n IS NOT NULL AND b.n IS NOT NULL
RETURN
  collect(a.n) AS source,
  collect(b.n) AS target,
  collect(coalesce(f.weight, 1.0)) AS weight,
  collect(CASE
    WHEN f.at = b.followers_complete_at THEN -1
    ELSE coalesce(f.at.epochMillis / 86400000, -1)
  END) AS day,
  coalesce(max(f.at.epochMillis), -1) AS latest
