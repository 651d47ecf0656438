// answers: When was the latest endorsement or withdrawal of one?
// column: latest INTEGER in milliseconds since 1970 UTC, -1 where there is none
// mode: read
// index: endorses_v
// index: withdrew_v
CALL () {
  MATCH (:Account)-[r:ENDORSES]->(:Account)
  USING INDEX r:ENDORSES(v)
  WHERE r.v >= 0
  RETURN max(r.at.epochMillis) AS at
UNION ALL
  MATCH (:Account)-[w:WITHDREW]->(:Account)
  USING INDEX w:WITHDREW(v)
  WHERE w.v >= 0
  RETURN max(w.at.epochMillis) AS at
}
RETURN coalesce(max(at), -1) AS latest
