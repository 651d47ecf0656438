// answers: How large is what would be erased with an account?
// parameter: key STRING the account's key
// column: followers INTEGER accounts that follow it in the graph
// column: following INTEGER accounts it follows in the graph
// column: posts INTEGER posts it wrote
// mode: read
// index: account_key
MATCH (a:Account {key: $key})
RETURN
  COUNT { (a)<-[:FOLLOWS]-() } AS followers, COUNT { (a)-[:FOLLOWS]->() } AS following,
  COUNT { (a)-[:POSTED]->() } AS posts
