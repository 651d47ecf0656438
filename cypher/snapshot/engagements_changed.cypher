// answers: Counts of interactions that changed after a version, as parallel columns.
// parameter: after INTEGER the version
// column: source LIST<INTEGER> number of who acted
// column: target LIST<INTEGER> number of whom it was about
// column: day LIST<INTEGER> day in days since 1970 UTC
// column: likes LIST<INTEGER> likes
// column: replies LIST<INTEGER> replies
// column: mentions LIST<INTEGER> mentions
// column: reposts LIST<INTEGER> reposts
// mode: read
// index: engaged_v
MATCH (a:Account)-[e:ENGAGED]->(b:Account)
USING INDEX e:ENGAGED(v)
WHERE e.v > $after AND a.n IS NOT NULL AND b.n IS NOT NULL AND e.day IS NOT NULL
RETURN
  collect(a.n) AS source,
  collect(b.n) AS target,
  collect(duration.inDays(date('1970-01-01'), e.day).days) AS day,
  collect(coalesce(e.likes, 0)) AS likes,
  collect(coalesce(e.replies, 0)) AS replies,
  collect(coalesce(e.mentions, 0)) AS mentions,
  collect(coalesce(e.reposts, 0)) AS reposts
