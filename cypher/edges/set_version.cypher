// answers: Ends a change of the graph with its new version. Only under the version lock.
// parameter: v INTEGER the new graph version
// parameter: n INTEGER accounts numbered so far
// parameter: masked INTEGER 1 where it changed which accounts answers may name, else 0
// mode: write
// index: graph_id
MATCH (g:Graph {id: 1})
SET g.v = $v, g.n = $n, g.masks_v = coalesce(g.masks_v, 0) + $masked
