// answers: How many interactions, responses, unfollows, ended records and withdrawn endorsements are older than they may be kept?
// parameter: interactions ZONED DATETIME beginning of the first day of which interactions and responses are kept; null: all are
// parameter: unfollows ZONED DATETIME likewise of unfollows, ended records and withdrawn endorsements
// column: interactions INTEGER counts of interactions, one a pair and day
// column: responses INTEGER responses to posts
// column: unfollows INTEGER follows that ended
// column: ended_records INTEGER records of follows that ended
// column: withdrawals INTEGER endorsements that were withdrawn
// mode: read
// index: engaged_day
// index: responded_at
// index: unfollowed_at
// index: ended_record_at
// index: follow_record_ended_at
// index: withdrew_at
CALL () {
  MATCH ()-[e:ENGAGED]->()
  USING INDEX e:ENGAGED(day)
  WHERE e.day < date($interactions)
  RETURN count(e) AS interactions
}
CALL () {
  MATCH ()-[r:RESPONDED]->()
  USING INDEX r:RESPONDED(at)
  WHERE r.at < $interactions
  RETURN count(r) AS responses
}
CALL () {
  MATCH ()-[u:UNFOLLOWED]->()
  USING INDEX u:UNFOLLOWED(at)
  WHERE u.at < $unfollows
  RETURN count(u) AS unfollows
}
CALL () {
  MATCH (e:EndedRecord)
  USING INDEX e:EndedRecord(at)
  WHERE e.at < $unfollows
  RETURN count(e) AS pending_records
}
CALL () {
  MATCH ()-[r:FOLLOW_RECORD]->()
  USING INDEX r:FOLLOW_RECORD(ended_at)
  WHERE r.ended_at < $unfollows
  RETURN count(r) AS known_records
}
CALL () {
  MATCH ()-[w:WITHDREW]->()
  USING INDEX w:WITHDREW(at)
  WHERE w.at < $unfollows
  RETURN count(w) AS withdrawals
}
RETURN interactions, responses, unfollows, pending_records + known_records AS ended_records, withdrawals
