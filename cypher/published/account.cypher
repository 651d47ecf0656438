// answers: One account, how many follow it and are followed by it, and where a run put it.
// parameter: run STRING the run's id
// parameter: key STRING the account's key
// column: account MAP properties of the account
// column: followers INTEGER accounts that follow it in the graph
// column: following INTEGER accounts it follows in the graph
// column: memberships LIST<MAP> properties of each membership, with community MAP: id, label, size, respectable, kind
// mode: read
// index: account_key
MATCH (a:Account {key: $key})
RETURN
  a {.*} AS account,
  COUNT { (a)<-[:FOLLOWS]-() } AS followers,
  COUNT { (a)-[:FOLLOWS]->() } AS following,
  COLLECT {
    MATCH (a)-[m:MEMBER_OF]->(c:Community)
    WHERE EXISTS { MATCH (c)<-[:FOUND]-(r:Run) WHERE r.id = $run }
    RETURN m {.*, community: c {.id, .label, .size, .respectable, .kind}}
    ORDER BY coalesce(m.primary, true) DESC, m.share DESC, c.id
  } AS memberships
