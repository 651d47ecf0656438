// answers: Who unfollowed whom lately, and what had the two in common?
// group: Over time
// parameter: days INTEGER in the last so many days up to the end of the data
// default: days 30
// parameter: most INTEGER how many at most
// default: most 20
// column: at ZONED DATETIME when the follow ended; ends that only a list of all followers tells have no known time and are left out
// column: account STRING key of who unfollowed
// column: handle STRING handle of the same, null where unknown
// column: followed STRING key of who was followed
// column: followed_handle STRING handle of the same, null where unknown
// column: community STRING id of the community of who unfollowed, null where it is in none
// column: followed_community STRING id of that of the other, likewise
// column: mutual BOOLEAN whether the other followed back when it ended; a follow back of unknown beginning is taken to be from before
// column: follows_back BOOLEAN whether the other still follows
// column: interactions INTEGER interactions between the two, either way, up to the end of the data
// column: topics LIST<STRING> topics that both wrote or shared posts about
// mode: read
// index: run_id
// index: unfollowed_at
// cost: one look at each follow that ended in these days; for each that is shown, at the posts of the two
MATCH (current:Current)
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
MATCH (a:Account)-[u:UNFOLLOWED]->(b:Account)
USING INDEX u:UNFOLLOWED(at)
WHERE
  u.at > r.as_of - duration({days: $days}) AND u.at <= r.as_of
  AND NOT (coalesce(a.opted_out, false) OR a.erasure_asked_at IS NOT NULL) AND NOT (coalesce(b.opted_out, false) OR b.erasure_asked_at IS NOT NULL)
  // Who is not in a list of all followers stopped at some time before it.
  AND NOT coalesce(u.at = b.followers_complete_at - duration({milliseconds: 1}), false)
WITH r, a, u, b ORDER BY u.at DESC, a.key, b.key LIMIT $most
CALL (a, b, r) {
  OPTIONAL MATCH (a)-[e:ENGAGED]-(b)
  WITH r, e, e.day AS day
  WHERE day IS NULL OR day <= date(r.as_of)
  RETURN
    sum(coalesce(e.likes, 0) + coalesce(e.replies, 0) + coalesce(e.mentions, 0) + coalesce(e.reposts, 0))
      AS interactions
}
CALL (a, b) {
  MATCH (a)-[w:POSTED|RESPONDED]->(:Post)-[:ABOUT]->(t:Topic)
  WHERE type(w) = 'POSTED' OR w.kind = 'repost'
  WITH DISTINCT b, t
  WHERE
    EXISTS { (b)-[:POSTED]->(:Post)-[:ABOUT]->(t) }
    OR EXISTS { (b)-[:RESPONDED {kind: 'repost'}]->(:Post)-[:ABOUT]->(t) }
  WITH t.name AS topic ORDER BY topic
  RETURN collect(topic) AS topics
}
RETURN
  u.at AS at, a.key AS account, a.handle AS handle, b.key AS followed, b.handle AS followed_handle,
  head(COLLECT {
    MATCH (a)-[:MEMBER_OF {primary: true}]->(c:Community {level: 0})
    WHERE EXISTS { (c)<-[:FOUND]-(r) }
    RETURN c.id
  }) AS community,
  head(COLLECT {
    MATCH (b)-[:MEMBER_OF {primary: true}]->(c:Community {level: 0})
    WHERE EXISTS { (c)<-[:FOUND]-(r) }
    RETURN c.id
  }) AS followed_community,
  EXISTS {
    MATCH (b)-[back:FOLLOWS]->(a)
    WHERE back.at IS NULL OR back.at <= u.at OR coalesce(back.at = a.followers_complete_at, false)
  } OR EXISTS { MATCH (b)-[ended:UNFOLLOWED]->(a) WHERE ended.at >= u.at } AS mutual,
  EXISTS { (b)-[:FOLLOWS]->(a) } AS follows_back,
  interactions, topics
ORDER BY at DESC, account, followed
