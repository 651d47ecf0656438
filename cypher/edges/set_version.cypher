// answers: Ends a change of the graph with its new version. Only under the version lock.
// parameter: v INTEGER the new graph version
// parameter: n INTEGER accounts numbered so far
// mode: write
// index: graph_id
MATCH (g:Graph {id: 1})
SET g.v = $v, g.n = $n
