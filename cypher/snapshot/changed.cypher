// answers: How many follows, interactions, posts and reposts changed after a version? Counted up to a limit.
// parameter: after INTEGER the version
// parameter: most INTEGER of each so many are counted at most
// column: changed INTEGER follows, counts of interactions, posts, and responses that are reposts
// mode: read
// index: follows_v
// index: engaged_v
// index: post_v
// index: responded_v
CALL () {
  MATCH (:Account)-[f:FOLLOWS]->(:Account)
  USING INDEX f:FOLLOWS(v)
  WHERE f.v > $after
  WITH f LIMIT $most
  RETURN count(f) AS changed
UNION ALL
  MATCH (:Account)-[e:ENGAGED]->(:Account)
  USING INDEX e:ENGAGED(v)
  WHERE e.v > $after
  WITH e LIMIT $most
  RETURN count(e) AS changed
UNION ALL
  MATCH (p:Post)
  USING INDEX p:Post(v)
  WHERE p.v > $after
  WITH p LIMIT $most
  RETURN count(p) AS changed
UNION ALL
  MATCH (:Account)-[r:RESPONDED]->(:Post)
  USING INDEX r:RESPONDED(v)
  WHERE r.v > $after AND r.kind = 'repost'
  WITH r LIMIT $most
  RETURN count(r) AS changed
}
RETURN sum(changed) AS changed
