// answers: Which of these accounts are in the graph?
// parameter: keys LIST<STRING> account keys
// column: i INTEGER position in keys
// column: found LIST<STRING> the account's key
// mode: read
// index: account_key
UNWIND range(0, size($keys) - 1) AS i
MATCH (a:Account {key: $keys[i]})
RETURN i, [a.key] AS found
