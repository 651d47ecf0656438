// answers: At which version is the graph, and how many accounts were numbered so far?
// column: v INTEGER version of accounts and follows
// column: n INTEGER accounts have numbers below this
// mode: read
// index: graph_id
MATCH (g:Graph {id: 1})
RETURN g.v AS v, g.n AS n
