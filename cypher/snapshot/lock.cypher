// answers: Keep all writers out until the transaction ends, and say at which version the graph is then.
// column: v INTEGER version of accounts and follows
// mode: write
// index: graph_id
MATCH (g:Graph {id: 1})
SET g.lock = 1
RETURN g.v AS v
