// answers: How many follows go from each community to each other, and are these more than the sizes of both let expect?
// group: Between communities
// parameter: most INTEGER how many pairs of communities at most, those with most follows first
// default: most 50
// column: source STRING id of the community whose members follow
// column: target STRING id of another one whose members are followed
// column: follows INTEGER follows from members of the one to members of the other
// column: share FLOAT share, 0 to 1, of the follows by members of the one that go to members of any community, its own included
// column: expected FLOAT follows there would be if those that leave the one went to all others by how many these receive from outside: leaving(one) · incoming(other) / sum of incoming over all communities but the one
// column: times_expected FLOAT follows / expected: above 1 where the one listens to the other more than its size lets expect
// mode: read
// index: current_id
// index: run_id
// cost: all follows of members of communities
MATCH (current:Current {id: 1})
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
MATCH (r)-[:FOUND]->(c:Community {level: 0, kind: 'found'})
CALL (r, c) {
  MATCH (c)<-[:MEMBER_OF {primary: true}]-(:Account)<-[:FOLLOWS]-(a:Account)
  // Each account that follows is looked up once a community, and not once a follow.
  WITH r, a, count(*) AS follows
  MATCH (a)-[:MEMBER_OF {primary: true}]->(source:Community {kind: 'found'})
  WHERE EXISTS { (source)<-[:FOUND]-(r) }
  RETURN source, follows
  UNION ALL
  // Its own line is there also where nobody follows anybody inside.
  RETURN c AS source, 0 AS follows
}
WITH c, source, sum(follows) AS follows
WITH
  c, collect({source: source, follows: follows}) AS sources,
  sum(CASE WHEN source <> c THEN follows ELSE 0 END) AS incoming
WITH collect({target: c, sources: sources, incoming: incoming}) AS targets, sum(incoming) AS every
UNWIND targets AS one
UNWIND one.sources AS from
WITH
  every, from.source AS source,
  collect({target: one.target, incoming: one.incoming, follows: from.follows}) AS pairs,
  sum(from.follows) AS given,
  sum(CASE WHEN one.target <> from.source THEN from.follows ELSE 0 END) AS leaving
WITH *, head([one IN pairs WHERE one.target = source | one.incoming]) AS own
UNWIND pairs AS pair
WITH every, source, given, leaving, own, pair
WHERE pair.target <> source AND pair.follows > 0
WITH *, toFloat(leaving) * pair.incoming / (every - own) AS expected
RETURN
  source.id AS source, pair.target.id AS target, pair.follows AS follows,
  toFloat(pair.follows) / given AS share, expected, pair.follows / expected AS times_expected
ORDER BY follows DESC, source, target
LIMIT $most
