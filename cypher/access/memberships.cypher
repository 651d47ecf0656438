// answers: To which communities of runs does an account belong, with all that the runs found of it there?
// parameter: key STRING the account's key
// column: runs LIST<STRING> ids of the runs that found the community
// column: community MAP id, label, level, kind and size of it
// column: membership MAP properties of the membership
// mode: read
// index: account_key
MATCH (:Account {key: $key})-[m:MEMBER_OF]->(c:Community)
RETURN
  COLLECT { MATCH (c)<-[:FOUND]-(r:Run) RETURN r.id ORDER BY r.id } AS runs,
  c {.id, .label, .level, .kind, .size} AS community,
  m {.*} AS membership
