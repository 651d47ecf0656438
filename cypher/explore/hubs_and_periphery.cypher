// answers: How unequally are members of each community followed inside it: do few hubs hold it together?
// group: Communities
// parameter: least INTEGER of how many members communities are at least: with few, a share of 1% says nothing
// default: least 50
// column: community STRING id of the community
// column: topics LIST<STRING> topics of its label
// column: size INTEGER its members
// column: follows_inside INTEGER follows between them
// column: gini FLOAT Gini coefficient of followers inside over all members: 0 where all have as many, near 1 where one has all
// column: top_1_percent FLOAT share, 0 to 1, of the follows inside that go to the 1% of members most followed inside, rounded up to whole members
// column: top_10_percent FLOAT the same of the 10%
// column: unfollowed FLOAT share, 0 to 1, of the members that no other member follows
// mode: read
// index: current_id
// index: run_id
// cost: all follows of members of communities
MATCH (current:Current {id: 1})
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
MATCH (r)-[:FOUND]->(c:Community {level: 0, kind: 'found'})
WHERE c.size >= $least
CALL (c) {
  CALL (c) {
    // Everybody counts, whom nobody follows, too.
    MATCH (c)<-[:MEMBER_OF {primary: true}]-(a:Account)
    RETURN a, 0 AS followers
    UNION ALL
    MATCH (c)<-[:MEMBER_OF {primary: true}]-(:Account)-[:FOLLOWS]->(a:Account)
    WITH c, a, count(*) AS followers
    WHERE EXISTS { (a)-[:MEMBER_OF {primary: true}]->(c) }
    RETURN a, followers
  }
  WITH a, sum(followers) AS followers
  ORDER BY followers
  WITH collect(followers) AS degrees
  RETURN degrees, size(degrees) AS n, reduce(sum = 0, one IN degrees | sum + one) AS total
}
WITH c, degrees, n, total
WHERE total > 0
WITH
  *,
  // With x in ascending order, i from 1 on: Σ (2i − n − 1) · x_i / (n · Σ x)
  reduce(sum = 0.0, i IN range(0, n - 1) | sum + (2 * i + 1 - n) * degrees[i]) / (n * total) AS gini
RETURN
  c.id AS community, c.topics AS topics, n AS size, total AS follows_inside, gini,
  toFloat(reduce(sum = 0, one IN degrees[n - toInteger(ceil(n / 100.0))..] | sum + one)) / total AS top_1_percent,
  toFloat(reduce(sum = 0, one IN degrees[n - toInteger(ceil(n / 10.0))..] | sum + one)) / total AS top_10_percent,
  toFloat(size([one IN degrees WHERE one = 0])) / n AS unfollowed
ORDER BY size DESC, community
