// answers: In which communities are follows returned more, or less, than in the whole graph?
// group: Communities
// parameter: least INTEGER of how many members communities are at least: of pairs, most are mutual
// default: least 10
// column: community STRING id of the community
// column: topics LIST<STRING> topics of its label
// column: follows_inside INTEGER follows between its members, as they are now
// column: returned INTEGER those of them whose reverse exists: a pair that follows each other counts twice
// column: reciprocity FLOAT returned / follows_inside, 0 to 1
// column: whole_graph FLOAT the same of all follows of the graph, inside communities or not
// column: times FLOAT reciprocity / whole_graph
// mode: read
// index: current_id
// index: run_id
// cost: all follows, and for each a look whether its reverse is there
MATCH (current:Current {id: 1})
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
CALL () {
  // Of a pair that follows each other one follow is looked at, and both count.
  MATCH (a:Account)-[:FOLLOWS]->(b:Account)
  WHERE a.key < b.key AND EXISTS { (b)-[:FOLLOWS]->(a) }
  WITH 2 * count(*) AS returned, COUNT { (:Account)-[:FOLLOWS]->() } AS follows
  RETURN CASE WHEN follows > 0 THEN toFloat(returned) / follows END AS whole_graph
}
MATCH (r)-[:FOUND]->(c:Community {level: 0, kind: 'found'})
WHERE c.size >= $least
CALL (c) {
  MATCH (c)<-[:MEMBER_OF {primary: true}]-(a:Account)-[:FOLLOWS]->(b:Account)
  WHERE EXISTS { (b)-[:MEMBER_OF {primary: true}]->(c) }
  RETURN
    count(*) AS follows_inside,
    2 * count(CASE WHEN a.key < b.key AND EXISTS { (b)-[:FOLLOWS]->(a) } THEN 1 END) AS returned
}
WITH c, whole_graph, follows_inside, returned
WHERE follows_inside > 0
WITH *, toFloat(returned) / follows_inside AS reciprocity
RETURN
  c.id AS community, c.topics AS topics, follows_inside, returned, reciprocity, whole_graph,
  CASE WHEN whole_graph > 0 THEN reciprocity / whole_graph END AS times
ORDER BY follows_inside DESC, community
