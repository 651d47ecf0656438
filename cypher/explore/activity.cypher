// answers: How active were communities in each of the last weeks of the data?
// group: Over time
// parameter: weeks INTEGER how many weeks, back from the day on which the data of the run that is served ends
// parameter: least INTEGER of how many members communities are at least
// default: weeks 4
// default: least 10
// column: community STRING id of the community
// column: topics LIST<STRING> topics of its label
// column: week INTEGER 0 for the last seven days of the data, 1 for the seven before them, and so on
// column: first_day DATE on which the week begins, in UTC
// column: active INTEGER members that posted or engaged with anybody in it
// column: share FLOAT share, 0 to 1, of the members that these are
// column: posts INTEGER posts that members wrote in it
// column: interactions_inside INTEGER likes, replies, mentions and reposts in it from members to other members
// mode: read
// index: current_id
// index: run_id
// index: engaged_day
// index: post_at
// cost: the posts and the days with interactions of these weeks
MATCH (current:Current {id: 1})
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
WITH r, date(r.as_of) AS last, date(r.as_of) - duration({days: 7 * $weeks - 1}) AS first
CALL (r, first, last) {
  MATCH (a:Account)-[e:ENGAGED]->(b:Account)
  USING INDEX e:ENGAGED(day)
  WHERE e.day >= first AND e.day <= last
  WITH
    r, a, b, duration.inDays(e.day, last).days / 7 AS week,
    sum(coalesce(e.likes, 0) + coalesce(e.replies, 0) + coalesce(e.mentions, 0) + coalesce(e.reposts, 0)) AS interactions
  MATCH (a)-[:MEMBER_OF {primary: true}]->(c:Community {kind: 'found'})
  WHERE EXISTS { (c)<-[:FOUND]-(r) }
  RETURN
    c, week, a, 0 AS posts,
    sum(CASE WHEN EXISTS { (b)-[:MEMBER_OF {primary: true}]->(c) } THEN interactions ELSE 0 END) AS inside
  UNION ALL
  MATCH (p:Post)
  USING INDEX p:Post(at)
  WHERE p.at >= datetime({date: first, timezone: 'UTC'})
    AND p.at < datetime({date: last + duration({days: 1}), timezone: 'UTC'})
  MATCH (a:Account)-[:POSTED]->(p)
  WITH r, a, duration.inDays(date(p.at), last).days / 7 AS week, count(DISTINCT p) AS posts
  MATCH (a)-[:MEMBER_OF {primary: true}]->(c:Community {kind: 'found'})
  WHERE EXISTS { (c)<-[:FOUND]-(r) }
  RETURN c, week, a, posts, 0 AS inside
  UNION ALL
  // Weeks in which nobody did anything are said as well.
  MATCH (r)-[:FOUND]->(c:Community {level: 0, kind: 'found'})
  UNWIND range(0, $weeks - 1) AS week
  RETURN c, week, null AS a, 0 AS posts, 0 AS inside
}
WITH last, c, week, a, posts, inside
WHERE c.size >= $least
WITH last, c, week, count(DISTINCT a) AS active, sum(posts) AS posts, sum(inside) AS interactions_inside
RETURN
  c.id AS community, c.topics AS topics, week, last - duration({days: 7 * week + 6}) AS first_day,
  active, toFloat(active) / c.size AS share, posts, interactions_inside
ORDER BY c.size DESC, community, week
