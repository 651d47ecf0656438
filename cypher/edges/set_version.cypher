// answers: Ends a change of the graph with its new version. Only under the version lock.
// parameter: v INTEGER the new graph version
// parameter: n INTEGER accounts numbered so far
// parameter: removed BOOLEAN whether anything that a snapshot holds was removed and has left no trace
// parameter: masked INTEGER 1 where it changed which accounts answers may name, else 0
// mode: write
// index: graph_id
MATCH (g:Graph {id: 1})
SET
  g.v = $v, g.n = $n, g.removed_v = CASE WHEN $removed THEN $v ELSE g.removed_v END,
  g.masks_v = coalesce(g.masks_v, 0) + $masked
