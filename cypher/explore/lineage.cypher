// answers: Where does each community of the run that is served come from, and which communities of the run before ended?
// group: Over time
// parameter: most INTEGER how many lines at most: communities by size, then those that ended
// default: most 100
// column: community STRING id of a community of the run that is served, or of one that it no longer found
// column: topics LIST<STRING> topics of its label
// column: size INTEGER members; of one that ended, those it had
// column: happened STRING unchanged, continues, merges, splits or born; of one that ended died, merged or split
// column: predecessor STRING id of the community of the run before that it continues, that merged into it or that it split off from; null where it was born or ended
// column: accounts INTEGER members that both have; null likewise
// column: share_of_predecessor FLOAT share, 0 to 1, of the members of the predecessor that these are
// column: share_of_community FLOAT share, 0 to 1, of the members of the community that these are
// column: counts BOOLEAN whether that is enough to be called an event
// column: went_to LIST<STRING> ids of the communities in which accounts of one that ended are now; empty for others
// mode: read
// index: current_id
// index: run_id
// cost: one look at each community of both runs
MATCH (current:Current {id: 1})
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
OPTIONAL MATCH (earlier:Run {id: r.start})
USING INDEX earlier:Run(id)
CALL (r, earlier) {
  // One that the run before found, too, has the origins of when it last changed.
  MATCH (r)-[:FOUND]->(c:Community {level: 0, kind: 'found'})
  WHERE EXISTS { (c)<-[:FOUND]-(earlier) }
  RETURN c, 'unchanged' AS happened, c.id AS predecessor, c.size AS accounts, 1.0 AS of_it, 1.0 AS of_this, true AS counts
  UNION ALL
  MATCH (r)-[:FOUND]->(c:Community {level: 0, kind: 'found'})
  WHERE NOT EXISTS { (c)<-[:FOUND]-(earlier) }
  OPTIONAL MATCH (c)-[e:CONTINUES|MERGES|SPLITS]->(p:Community)
  RETURN
    c, coalesce(toLower(type(e)), c.event, 'born') AS happened, p.id AS predecessor, e.accounts AS accounts,
    e.share_of_it AS of_it, e.share_of_this AS of_this, e.counts AS counts
  UNION ALL
  MATCH (earlier)-[:FOUND]->(c:Community {level: 0, kind: 'found', ended_in: r.id})
  RETURN c, c.ended AS happened, null AS predecessor, null AS accounts, null AS of_it, null AS of_this, null AS counts
}
WITH *, coalesce(c.ended_in = r.id, false) AS ended
RETURN
  c.id AS community, c.topics AS topics, c.size AS size, happened, predecessor, accounts,
  of_it AS share_of_predecessor, of_this AS share_of_community, counts,
  CASE WHEN ended THEN c.ended_into ELSE [] END AS went_to
ORDER BY ended, size DESC, community, accounts DESC, predecessor
LIMIT $most
