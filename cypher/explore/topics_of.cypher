// answers: What does an account write and share about, beside its community?
// group: Accounts
// parameter: key STRING the account's key
// example: key "sample:u000237"
// parameter: most INTEGER how many topics at most
// default: most 20
// column: topic STRING the topic
// column: posts INTEGER different posts about it that the account wrote or shared
// column: share FLOAT these as a share of its posts that are about anything; null where it has none
// column: members INTEGER other members of its community who wrote or shared a post about it
// column: members_share FLOAT these as a share of the other members who wrote or shared about anything; null where nobody did
// column: members_posts_share FLOAT posts about it that these wrote or shared, as a share of theirs that are about anything; a post counts once for each of them
// mode: read
// index: account_key
// index: run_id
// cost: one look at each post and repost of the members of the account's community
MATCH (a:Account {key: $key})
USING INDEX a:Account(key)
WHERE NOT (coalesce(a.opted_out, false) OR a.erasure_asked_at IS NOT NULL)
MATCH (current:Current)
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
CALL (a) {
  MATCH (a)-[w:POSTED|RESPONDED]->(p:Post)
  WHERE (type(w) = 'POSTED' OR w.kind = 'repost') AND EXISTS { (p)-[:ABOUT]->(:Topic) }
  WITH DISTINCT p
  RETURN collect(p) AS own
}
CALL (a, r) {
  MATCH (a)-[:MEMBER_OF {primary: true}]->(c:Community {level: 0})
  WHERE EXISTS { (c)<-[:FOUND]-(r) }
  MATCH (j:Account)-[:MEMBER_OF {primary: true}]->(c)
  WHERE j <> a
  MATCH (j)-[w:POSTED|RESPONDED]->(p:Post)
  WHERE (type(w) = 'POSTED' OR w.kind = 'repost') AND EXISTS { (p)-[:ABOUT]->(:Topic) }
  WITH DISTINCT j, p
  RETURN collect([j, p]) AS others, count(DISTINCT j) AS speakers
}
CALL (own, others) {
  UNWIND own AS p
  MATCH (p)-[:ABOUT]->(t:Topic)
  RETURN t, p, null AS j
  UNION ALL
  UNWIND others AS one
  WITH one[0] AS j, one[1] AS p
  MATCH (p)-[:ABOUT]->(t:Topic)
  RETURN t, p, j
}
WITH
  own, others, speakers, t,
  count(DISTINCT CASE WHEN j IS NULL THEN p END) AS posts, count(DISTINCT j) AS members, count(j) AS said
RETURN
  t.name AS topic, posts,
  CASE WHEN own <> [] THEN toFloat(posts) / size(own) END AS share,
  members,
  CASE WHEN speakers > 0 THEN toFloat(members) / speakers END AS members_share,
  CASE WHEN others <> [] THEN toFloat(said) / size(others) END AS members_posts_share
ORDER BY posts DESC, members DESC, topic
LIMIT $most
