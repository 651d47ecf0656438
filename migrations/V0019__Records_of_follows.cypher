// Schema: follows that their network names by an id of their own, by which their end may be told.
CREATE INDEX follow_record_record IF NOT EXISTS FOR ()-[r:FOLLOW_RECORD]-() ON (r.record);
CREATE INDEX follow_record_ended_at IF NOT EXISTS FOR ()-[r:FOLLOW_RECORD]-() ON (r.ended_at);
CREATE CONSTRAINT ended_record_record IF NOT EXISTS FOR (e:EndedRecord) REQUIRE e.record IS UNIQUE;
CREATE INDEX ended_record_at IF NOT EXISTS FOR (e:EndedRecord) ON (e.at);
CALL db.awaitIndexes(300);
