// answers: Notes that things were removed without a trace: graphs that were kept before are to be read anew. Under the version lock.
// parameter: v INTEGER graph version of this change
// mode: write
// index: graph_id
MATCH (g:Graph {id: 1})
SET g.removed_v = $v, g.erased_v = $v
