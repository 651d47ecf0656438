// answers: At which version is the graph, how many accounts were numbered, how much of what is read is there?
// column: v INTEGER version of accounts and follows: all that was written up to it can be read
// column: n INTEGER accounts numbered so far, from 1
// column: follows INTEGER how many follows there are
// column: engagements INTEGER how many counts of interactions there are, one a pair and day
// column: about INTEGER how many topics posts have, all posts together
// column: posts INTEGER how many posts have an author
// mode: write
// index: graph_id
MATCH (g:Graph {id: 1})
// The lock is had for a moment. A version that is seen without it may be one that is still being put in place: Neo4j
// shows what a transaction wrote piece by piece, indexes last, and lets go of its locks when all of it can be read.
SET g.lock = 1
WITH g
RETURN
  g.v AS v,
  g.n AS n,
  COUNT { (:Account)-[:FOLLOWS]->() } AS follows,
  COUNT { (:Account)-[:ENGAGED]->() } AS engagements,
  COUNT { (:Post)-[:ABOUT]->() } AS about,
  COUNT { (:Account)-[:POSTED]->() } AS posts
