// answers: Removes some relationships of an account, of any type.
// parameter: key STRING the account's key
// parameter: most INTEGER how many
// column: type STRING type of relationship
// column: out BOOLEAN whether they went out from the account
// column: count INTEGER how many of them were removed
// mode: write
// index: account_key
MATCH (a:Account {key: $key})-[r]-()
WITH a, r LIMIT $most
WITH r, type(r) AS type, startNode(r) = a AS out
DELETE r
RETURN type, out, count(*) AS count
