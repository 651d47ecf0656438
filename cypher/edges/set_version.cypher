// answers: Ends a change of the graph with its new version. Only under the version lock.
// parameter: v INTEGER the new graph version
// parameter: n INTEGER accounts numbered so far
// parameter: removed BOOLEAN whether anything that a snapshot holds was removed and has left no trace
// mode: write
// index: graph_id
MATCH (g:Graph {id: 1})
SET g.v = $v, g.n = $n, g.removed_v = CASE WHEN $removed THEN $v ELSE g.removed_v END
