// answers: Who follows any of some accounts without being one of them?
// parameter: targets LIST<STRING> keys of the accounts
// parameter: most INTEGER how many at most
// column: keys LIST<STRING> keys of who follows, in no order
// mode: read
// index: account_key
UNWIND $targets AS target
MATCH (a:Account {key: target})
USING INDEX a:Account(key)
MATCH (a)<-[:FOLLOWS]-(j:Account)
WHERE NOT j.key IN $targets
WITH DISTINCT j LIMIT $most
RETURN collect(j.key) AS keys
