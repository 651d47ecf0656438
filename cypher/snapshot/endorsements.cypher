// answers: All endorsements that stand, as parallel columns: each pair once; a row for a range of the endorsers' numbers.
// parameter: step INTEGER how many numbers make a row
// column: source LIST<INTEGER> number of who endorses
// column: target LIST<INTEGER> number of who is endorsed
// column: at LIST<INTEGER> since when (of several topics the earliest), in milliseconds since 1970 UTC, -1 where unknown
// mode: read
// index: endorses_v
MATCH (a:Account)-[r:ENDORSES]->(b:Account)
USING INDEX r:ENDORSES(v)
// collect() leaves out nulls, and the columns would no longer be parallel.
WHERE r.v >= 0 AND a.n IS NOT NULL AND b.n IS NOT NULL
WITH a.n AS source, b.n AS target, coalesce(min(r.at.epochMillis), -1) AS at
WITH source / $step AS part, collect(source) AS source, collect(target) AS target, collect(at) AS at
RETURN source, target, at
