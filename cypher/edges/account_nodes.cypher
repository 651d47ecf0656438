// answers: Which nodes are these accounts?
// parameter: keys LIST<STRING> account keys, each once
// column: nodes LIST<INTEGER> ids of their nodes, parallel with keys; -1 for accounts that are not in the graph
// mode: read
// index: account_key
UNWIND range(0, size($keys) - 1) AS i
OPTIONAL MATCH (a:Account {key: $keys[i]})
WITH i, a ORDER BY i
RETURN collect(coalesce(id(a), -1)) AS nodes
