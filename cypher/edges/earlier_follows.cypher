// answers: Follows of these accounts before a time, of which complete lists that do not hold them say that they ended.
// parameter: keys LIST<STRING> keys of the accounts that are followed, each once
// parameter: times LIST<INTEGER> times of the complete lists, in milliseconds since 1970 UTC; parallel to keys
// column: i INTEGER position of who is followed in keys
// column: follower STRING key of who follows
// mode: read
// index: account_key
UNWIND range(0, size($keys) - 1) AS i
MATCH (:Account {key: $keys[i]})<-[f:FOLLOWS]-(follower)
WHERE coalesce(f.at.epochMillis, -1) < $times[i]
RETURN i, follower.key AS follower
