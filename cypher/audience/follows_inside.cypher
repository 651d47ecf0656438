// answers: How many follows are there between some accounts?
// parameter: keys LIST<STRING> keys of the accounts
// column: follows INTEGER from one of them to another one
// mode: read
// index: account_key
UNWIND $keys AS key
MATCH (j:Account {key: key})
USING INDEX j:Account(key)
// From each of them to whom it follows, and not to all the others.
WITH j
MATCH (j)-[f:FOLLOWS]->(o)
WHERE o <> j AND o.key IN $keys
RETURN count(f) AS follows
