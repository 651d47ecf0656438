// answers: At which version is the graph, how many accounts were numbered, and how many follows are there?
// column: v INTEGER version of accounts and follows
// column: n INTEGER accounts numbered so far, from 1
// column: follows INTEGER how many follows there are
// mode: read
// index: graph_id
MATCH (g:Graph {id: 1})
RETURN g.v AS v, g.n AS n, COUNT { (:Account)-[:FOLLOWS]->() } AS follows
