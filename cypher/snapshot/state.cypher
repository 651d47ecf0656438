// answers: At which version is the graph, and how many accounts were numbered?
// column: v INTEGER version of accounts and follows
// column: n INTEGER accounts numbered so far, from 1
// mode: read
// index: graph_id
MATCH (g:Graph {id: 1})
RETURN g.v AS v, g.n AS n
