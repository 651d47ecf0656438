// answers: Keep all writers out until the transaction ends, and say what the graph holds then.
// column: v INTEGER version of accounts and follows
// column: removed_v INTEGER version at which something was last removed without a trace, -1 where nothing was
// column: accounts INTEGER how many accounts there are
// column: follows INTEGER how many follows there are
// column: engagements INTEGER how many counts of interactions there are, one a pair and day
// column: brands INTEGER how many brands there are
// mode: write
// index: graph_id
MATCH (g:Graph {id: 1})
SET g.lock = 1
WITH g
RETURN
  g.v AS v,
  coalesce(g.removed_v, -1) AS removed_v,
  COUNT { (:Account) } AS accounts,
  COUNT { (:Account)-[:FOLLOWS]->() } AS follows,
  COUNT { (:Account)-[:ENGAGED]->() } AS engagements,
  COUNT { (:Brand) } AS brands
