// answers: What does a community write and share about more than everybody else does, and does the service say the same?
// group: Communities
// parameter: community STRING id of the community
// parameter: least INTEGER of how many members a topic is at least
// parameter: most INTEGER how many topics at most, the most surprising first
// example: community "cjqmnpx266o"
// default: least 3
// default: most 20
// column: topic STRING name of the topic
// column: members INTEGER members who wrote a post about it or reposted one; who opted out is left out throughout
// column: share FLOAT share, 0 to 1, of the members who wrote or reposted about any topic
// column: others INTEGER all other accounts who did, of any community or none
// column: share_elsewhere FLOAT share, 0 to 1, of all other accounts who wrote or reposted about any topic
// column: ratio FLOAT share / share_elsewhere; null where nobody else did
// column: surprise FLOAT signed root of the log-likelihood ratio of both shares: negative where the topic is rarer here
// column: named BOOLEAN whether the service names it: it takes the ten strongest, those at 1.5 times the share elsewhere and a surprise of 3.5, and nothing that may state religion, politics, health or sexuality
// column: said_share FLOAT what the service says the share is; null where it does not name it
// column: said_elsewhere FLOAT likewise of share_elsewhere; the service also reads topics from texts of posts that state none
// mode: read
// index: current_id
// index: run_id
// cost: all posts about topics that anybody wrote or reposted
MATCH (current:Current {id: 1})
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
MATCH (r)-[:FOUND]->(c:Community {level: 0, id: $community})
// Members have in_base, of communities that people defined, too; secondary memberships have not.
MATCH (a:Account)-[w:POSTED|RESPONDED]->(:Post)-[:ABOUT]->(t:Topic)
WHERE (type(w) = 'POSTED' OR w.kind = 'repost') AND NOT (coalesce(a.opted_out, false) OR a.erasure_asked_at IS NOT NULL)
WITH c, a, collect(DISTINCT t) AS topics
WITH c, topics, EXISTS { MATCH (a)-[m:MEMBER_OF]->(c) WHERE m.in_base IS NOT NULL } AS inside
WITH
  c,
  collect({topics: topics, inside: inside}) AS accounts,
  toFloat(count(CASE WHEN inside THEN 1 END)) AS n,
  toFloat(count(CASE WHEN NOT inside THEN 1 END)) AS rest
UNWIND accounts AS one
UNWIND one.topics AS t
WITH
  c, n, rest, t,
  count(CASE WHEN one.inside THEN 1 END) AS members, count(CASE WHEN NOT one.inside THEN 1 END) AS others
WHERE members >= $least
WITH c, n, rest, t.name AS topic, members, others, (members + others) / (n + rest) AS p
WITH
  *,
  members / n AS share,
  CASE WHEN rest > 0 THEN others / rest ELSE 0.0 END AS share_elsewhere,
  reduce(
    sum = 0.0,
    cell IN [[members, p * n], [n - members, (1 - p) * n], [others, p * rest], [rest - others, (1 - p) * rest]] |
    sum + CASE WHEN cell[0] > 0 THEN 2 * cell[0] * log(cell[0] / cell[1]) ELSE 0.0 END
  ) AS g
WITH
  *,
  // Rounding may leave a little less than nothing.
  CASE WHEN share < share_elsewhere THEN -1 ELSE 1 END * sqrt(CASE WHEN g > 0 THEN g ELSE 0.0 END) AS surprise,
  head([i IN range(0, size(c.values) - 1) WHERE c.values[i] = topic]) AS place
RETURN
  topic, members, share, others, share_elsewhere,
  CASE WHEN others > 0 THEN share / share_elsewhere END AS ratio,
  surprise, place IS NOT NULL AS named,
  c.values_share[place] AS said_share, c.values_share_elsewhere[place] AS said_elsewhere
ORDER BY surprise DESC, topic
LIMIT $most
