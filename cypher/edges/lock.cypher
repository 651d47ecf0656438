// answers: Takes the version lock: what changes accounts or follows waits here for its turn.
// column: v INTEGER graph version so far
// column: n INTEGER accounts numbered so far
// mode: write
// index: graph_id
MATCH (g:Graph {id: 1})
SET g.lock = 1
RETURN g.v AS v, g.n AS n
