// answers: In which hours of a window did each of some accounts do something with others? Of nobody who opted out.
// parameter: keys LIST<STRING> keys of the accounts
// parameter: first DATE the first day that counts
// parameter: last DATE the last day that counts
// column: hours LIST<INTEGER> of one account, in hours since 1970 UTC, each once
// mode: read
// index: account_key
UNWIND $keys AS key
MATCH (j:Account {key: key})
USING INDEX j:Account(key)
WHERE NOT coalesce(j.opted_out, false)
MATCH (j)-[e:ENGAGED]->(o)
// Days are asked for after WITH, so that it starts from each account, and not from all days by their index.
WITH key, j, o, e.day AS day, e.hours AS hours
WHERE day >= $first AND day <= $last AND o <> j AND hours IS NOT NULL
WITH key, duration.inDays(date('1970-01-01'), day).days * 24 AS midnight, hours
UNWIND [hour IN range(0, 23) WHERE hours[hour] > 0] AS hour
WITH key, midnight + hour AS hour
WITH key, collect(DISTINCT hour) AS hours
RETURN hours
