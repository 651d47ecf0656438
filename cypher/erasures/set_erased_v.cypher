// answers: Notes that an account, or what others said of it, was removed: graphs kept before are to be deleted. Under the version lock.
// parameter: v INTEGER graph version of this change
// mode: write
// index: graph_id
MATCH (g:Graph {id: 1})
SET g.erased_v = $v
