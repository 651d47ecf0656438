// answers: What is in the graph, and from when until when?
// group: The graph
// column: what STRING label, relationship, or kind of response
// column: count INTEGER how many there are
// column: first ZONED DATETIME time of the earliest of them; null where they have none
// column: last ZONED DATETIME time of the latest of them; null where they have none
// cost: one look at each relationship that has a time; labels are counted without looking
// mode: read
CALL () {
  MATCH (a:Account)
  WITH count(*) AS count, null AS first, null AS last
  RETURN 'accounts' AS what, count, first, last
  UNION ALL
  MATCH (:Account)-[f:FOLLOWS]->()
  WITH count(*) AS count, min(f.at) AS first, max(f.at) AS last
  RETURN 'follows' AS what, count, first, last
  UNION ALL
  MATCH (:Account)-[u:UNFOLLOWED]->()
  WITH count(*) AS count, min(u.at) AS first, max(u.at) AS last
  RETURN 'unfollows' AS what, count, first, last
  UNION ALL
  MATCH (:Account)-[e:ENGAGED]->()
  WITH
    sum(coalesce(e.likes, 0) + coalesce(e.replies, 0) + coalesce(e.mentions, 0) + coalesce(e.reposts, 0)) AS count,
    min(datetime({date: e.day})) AS first,
    max(datetime({date: e.day})) AS last
  RETURN 'interactions' AS what, count, first, last
  UNION ALL
  MATCH (p:Post)
  WITH count(*) AS count, min(p.at) AS first, max(p.at) AS last
  RETURN 'posts' AS what, count, first, last
  UNION ALL
  MATCH (:Account)-[r:RESPONDED]->()
  WITH count(*) AS count, min(r.at) AS first, max(r.at) AS last
  RETURN 'responses to posts' AS what, count, first, last
  UNION ALL
  MATCH (p:Post)-[:MENTIONS]->()
  WITH count(*) AS count, min(p.at) AS first, max(p.at) AS last
  RETURN 'mentions of brands' AS what, count, first, last
  UNION ALL
  MATCH (:Account)-[e:ENDORSES]->()
  WITH count(*) AS count, min(e.at) AS first, max(e.at) AS last
  RETURN 'endorsements' AS what, count, first, last
  UNION ALL
  MATCH (:Account)-[:EMPLOYEE_OF|COLLABORATES_WITH|CUSTOMER_OF|USES]->(:Brand)
  WITH count(*) AS count, null AS first, null AS last
  RETURN 'relations to brands' AS what, count, first, last
  UNION ALL
  MATCH (:Topic)
  WITH count(*) AS count, null AS first, null AS last
  RETURN 'topics' AS what, count, first, last
  UNION ALL
  MATCH (:Brand)
  WITH count(*) AS count, null AS first, null AS last
  RETURN 'brands' AS what, count, first, last
  UNION ALL
  MATCH (:Person)
  WITH count(*) AS count, null AS first, null AS last
  RETURN 'persons' AS what, count, first, last
}
RETURN what, count, first, last
