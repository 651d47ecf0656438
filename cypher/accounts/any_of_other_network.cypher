// answers: Does the graph hold an account of any network but this one?
// parameter: network STRING the one network that does not count
// column: key STRING key of one such account; no row where there is none
// mode: read
// index: account_key
MATCH (a:Account)
USING INDEX a:Account(key)
WHERE a.key >= '' AND NOT a.key STARTS WITH $network + ':'
RETURN a.key AS key
LIMIT 1
