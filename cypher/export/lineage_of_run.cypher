// answers: From which communities of the run before do those of a run come?
// parameter: run STRING the run's id
// column: community STRING id of the community
// column: relation STRING CONTINUES, MERGES or SPLITS
// column: before STRING id of the community that it comes from
// column: before_run STRING id of the latest run that found that one
// column: accounts INTEGER accounts that both have
// column: share_of_it FLOAT their share of the one before, 0 to 1
// column: share_of_this FLOAT their share of the community, 0 to 1
// column: counts BOOLEAN whether that is enough to call it an event
// mode: read
// index: run_id
MATCH (:Run {id: $run})-[:FOUND]->(c:Community)-[e:CONTINUES|MERGES|SPLITS]->(p:Community)
RETURN
  c.id AS community, type(e) AS relation, p.id AS before, p.run AS before_run, e.accounts AS accounts,
  e.share_of_it AS share_of_it, e.share_of_this AS share_of_this, e.counts AS counts
ORDER BY community, relation, before
