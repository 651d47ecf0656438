// answers: Of which communities and groups of them is an account said to be one of the most followed?
// parameter: key STRING the account's key
// column: runs LIST<STRING> ids of the runs that found the community
// column: community MAP id, label, level, kind and size of it
// mode: read
// index: community_run
MATCH (c:Community)
USING INDEX c:Community(run)
WHERE c.run >= '' AND $key IN c.most_followed
RETURN
  COLLECT { MATCH (c)<-[:FOUND]-(r:Run) RETURN r.id ORDER BY r.id } AS runs,
  c {.id, .label, .level, .kind, .size} AS community
