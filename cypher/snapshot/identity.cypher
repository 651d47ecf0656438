// answers: Which graph is this? A name that no other graph has, given when it is first asked for.
// column: identity STRING the name, gone when the graph is emptied by hand
// column: v INTEGER version of the graph
// column: removed_v INTEGER version at which something was last removed without a trace, -1 where nothing was
// column: accounts INTEGER how many accounts there are
// column: follows INTEGER how many follows there are
// column: engagements INTEGER how many counts of interactions there are, one a pair and day
// column: about INTEGER how many topics posts have, all posts together
// column: posts INTEGER how many posts have an author
// column: texts INTEGER how many of them have a text, about: as the share of the thousand posts that changed least lately
// mode: write
// index: graph_id
// index: post_v
MATCH (g:Graph {id: 1})
// Whoever asks first has the lock, so that nobody gives another name.
SET g.lock = 1
WITH g
SET g.identity = coalesce(g.identity, randomUUID())
WITH g
CALL () {
  MATCH (p:Post)
  USING INDEX p:Post(v)
  WHERE p.v >= 0
  WITH p
  LIMIT 1000
  RETURN count(p.text) AS said, count(p) AS looked
}
RETURN
  g.identity AS identity,
  g.v AS v,
  coalesce(g.removed_v, -1) AS removed_v,
  COUNT { (:Account) } AS accounts,
  COUNT { (:Account)-[:FOLLOWS]->() } AS follows,
  COUNT { (:Account)-[:ENGAGED]->() } AS engagements,
  COUNT { (:Post)-[:ABOUT]->() } AS about,
  COUNT { (:Account)-[:POSTED]->() } AS posts,
  CASE looked WHEN 0 THEN 0 ELSE COUNT { (:Account)-[:POSTED]->() } * said / looked END AS texts
