// answers: Which of these accounts are not in the graph?
// parameter: keys LIST<STRING> account keys, each once
// column: missing LIST<INTEGER> positions in keys, ascending
// mode: read
// index: account_key
UNWIND range(0, size($keys) - 1) AS i
OPTIONAL MATCH (a:Account {key: $keys[i]})
WITH i, a ORDER BY i
RETURN collect(CASE WHEN a IS NULL THEN i END) AS missing
