// answers: Takes the version lock: what changes the graph that people bring waits here for its turn.
// column: v INTEGER graph version so far
// column: n INTEGER accounts numbered so far
// column: unfollowed INTEGER how many tombstones of follows there are
// column: complete_lists BOOLEAN whether a complete list of an account's followers is known of any
// column: erasure_checks LIST<STRING> digests by which the keys of erased accounts are known; empty where none was erased
// mode: write
// index: graph_id
MATCH (g:Graph {id: 1})
SET g.lock = 1
WITH g
RETURN
  g.v AS v, g.n AS n, COUNT { ()-[:UNFOLLOWED]->() } AS unfollowed,
  coalesce(g.complete_lists, false) AS complete_lists, coalesce(g.erasure_checks, []) AS erasure_checks
