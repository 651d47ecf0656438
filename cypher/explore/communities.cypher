// answers: Which communities did the run that is served find, how large and how closed are they, and can they be relied on?
// group: Communities
// parameter: most INTEGER how many communities at most, the largest first
// default: most 20
// column: community STRING id of the community
// column: topics LIST<STRING> topics of its label; empty where nothing stands out
// column: size INTEGER members
// column: base INTEGER members that no gate keeps out: they are compared with each other
// column: candidates INTEGER ambassador candidates
// column: confidence FLOAT mean chance, 0 to 1, that a member would be in it under another seed; null where unknown
// column: reciprocity FLOAT share, 0 to 1, of the follows inside that are returned
// column: stays_inside FLOAT share, 0 to 1, of the follows by its members that go to members; null where they follow nobody
// column: respectable BOOLEAN whether it passed all its tests
// column: failed_tests LIST<STRING> tests that it failed: size, active_share, suspicious_share, confidence
// mode: read
// index: current_id
// index: run_id
// cost: one look at each community; the numbers are those the run wrote
MATCH (current:Current {id: 1})
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
MATCH (r)-[:FOUND]->(c:Community {level: 0, kind: 'found'})
RETURN
  c.id AS community, c.topics AS topics, c.size AS size, c.base AS base, c.candidates AS candidates,
  c.confidence AS confidence, c.reciprocity AS reciprocity,
  CASE WHEN c.follows_inside + c.follows_out > 0
    THEN toFloat(c.follows_inside) / (c.follows_inside + c.follows_out)
  END AS stays_inside,
  c.respectable AS respectable, c.failed_tests AS failed_tests
ORDER BY size DESC, community
LIMIT $most
