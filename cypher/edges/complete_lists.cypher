// answers: Of which of these accounts is a complete list of followers known, and of when is the latest?
// parameter: keys LIST<STRING> account keys, each once; the graph need not have all of them
// column: i INTEGER position in keys
// column: at INTEGER when, in milliseconds since 1970 UTC
// mode: read
// index: account_key
UNWIND range(0, size($keys) - 1) AS i
MATCH (a:Account {key: $keys[i]})
WHERE a.followers_complete_at IS NOT NULL
RETURN i, a.followers_complete_at.epochMillis AS at
