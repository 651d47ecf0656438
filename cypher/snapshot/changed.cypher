// answers: How many follows and interactions changed after a version? Counted up to a limit.
// parameter: after INTEGER the version
// parameter: most INTEGER of each so many are counted at most
// column: changed INTEGER follows and counts of interactions
// mode: read
// index: follows_v
// index: engaged_v
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
}
RETURN sum(changed) AS changed
