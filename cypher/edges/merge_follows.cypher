// answers: Adds follows; of two with the same ends the greater (time, weight) stands, an unknown time being the earliest.
// parameter: keys LIST<STRING> keys of the accounts concerned, each once, all in the graph
// parameter: followers LIST<INTEGER> positions in keys; parallel with the three lists below: one follow a position
// parameter: followees LIST<INTEGER> positions in keys
// parameter: weights LIST<FLOAT> weights of the ties
// parameter: times LIST<INTEGER> milliseconds since 1970 UTC, -1 where unknown
// parameter: v INTEGER graph version of this change
// column: created INTEGER follows that were not there
// column: updated INTEGER follows whose time or weight changed
// mode: write
// index: account_key
UNWIND range(0, size($keys) - 1) AS i
MATCH (account:Account {key: $keys[i]})
WITH i, account ORDER BY i
WITH collect(account) AS accounts
UNWIND range(0, size($followers) - 1) AS i
WITH accounts[$followers[i]] AS follower, accounts[$followees[i]] AS followee, $weights[i] AS weight, $times[i] AS time
MERGE (follower)-[f:FOLLOWS]->(followee)
WITH f, weight, time, f.v IS NULL AS created, coalesce(f.at.epochMillis, -1) AS known
WHERE created OR time > known OR (time = known AND weight > f.weight)
SET f.weight = weight, f.v = $v, f.at = CASE WHEN time >= 0 THEN datetime({epochMillis: time}) END
RETURN count(CASE WHEN created THEN 1 END) AS created, count(CASE WHEN NOT created THEN 1 END) AS updated
