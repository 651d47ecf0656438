// answers: Some posts of an account.
// parameter: key STRING the account's key
// parameter: most INTEGER how many
// column: post STRING key of a post
// mode: read
// index: account_key
MATCH (a:Account {key: $key})-[:POSTED]->(p:Post)
RETURN p.key AS post
LIMIT $most
