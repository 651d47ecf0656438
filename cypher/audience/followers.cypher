// answers: Who follows any of some accounts without being one of them?
// parameter: targets LIST<STRING> keys of the accounts
// parameter: until ZONED DATETIME follows that began before this moment count, and those of which nobody knows when
// column: keys LIST<STRING> keys of who follows, in no order
// mode: read
// index: account_key
UNWIND $targets AS target
MATCH (a:Account {key: target})
USING INDEX a:Account(key)
MATCH (a)<-[f:FOLLOWS]-(j:Account)
WHERE (f.at IS NULL OR f.at < $until) AND NOT j.key IN $targets
RETURN collect(DISTINCT j.key) AS keys
