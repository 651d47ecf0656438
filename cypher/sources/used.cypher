// answers: Notes when secrets of sources were last used; the latest time stands. The lists are parallel.
// parameter: names LIST<STRING> names of sources
// parameter: secrets LIST<STRING> ids of their secrets
// parameter: times LIST<INTEGER> when, in milliseconds since 1970 UTC
// mode: write
// index: source_name
UNWIND range(0, size($names) - 1) AS i
MATCH (:Source {name: $names[i]})-[:HAS_SECRET]->(x:SourceSecret {id: $secrets[i]})
WHERE x.last_used_at IS NULL OR x.last_used_at.epochMillis < $times[i]
SET x.last_used_at = datetime({epochMillis: $times[i]})
