// answers: At which version is the graph, how many accounts were numbered, how much of what is read is there?
// column: v INTEGER version of accounts and follows
// column: n INTEGER accounts numbered so far, from 1
// column: follows INTEGER how many follows there are
// column: engagements INTEGER how many counts of interactions there are, one a pair and day
// column: about INTEGER how many topics posts have, all posts together
// mode: read
// index: graph_id
MATCH (g:Graph {id: 1})
RETURN
  g.v AS v,
  g.n AS n,
  COUNT { (:Account)-[:FOLLOWS]->() } AS follows,
  COUNT { (:Account)-[:ENGAGED]->() } AS engagements,
  COUNT { (:Post)-[:ABOUT]->() } AS about
