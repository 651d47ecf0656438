// answers: In which hours of a window did each of some accounts do something with others?
// parameter: keys LIST<STRING> keys of the accounts
// parameter: first DATE the first day that counts
// parameter: last DATE the last day that counts
// column: hours LIST<INTEGER> of one account, in hours since 1970 UTC, each once
// mode: read
// index: account_key
UNWIND $keys AS key
MATCH (j:Account {key: key})
USING INDEX j:Account(key)
MATCH (j)-[e:ENGAGED]->(o:Account)
WHERE e.day >= $first AND e.day <= $last AND o <> j AND e.hours IS NOT NULL
UNWIND range(0, 23) AS hour
WITH j, e, hour
WHERE e.hours[hour] > 0
WITH j.key AS key, duration.inDays(date('1970-01-01'), e.day).days * 24 + hour AS hour
WITH key, collect(DISTINCT hour) AS hours
RETURN hours
