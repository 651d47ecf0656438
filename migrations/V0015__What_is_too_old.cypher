// Schema: what is older than it may be kept is found by its time, and of several services one a day removes it.
CREATE INDEX engaged_day IF NOT EXISTS FOR ()-[r:ENGAGED]-() ON (r.day);
CREATE INDEX responded_at IF NOT EXISTS FOR ()-[r:RESPONDED]-() ON (r.at);
CREATE INDEX unfollowed_at IF NOT EXISTS FOR ()-[r:UNFOLLOWED]-() ON (r.at);
CREATE INDEX withdrew_at IF NOT EXISTS FOR ()-[r:WITHDREW]-() ON (r.at);
CREATE CONSTRAINT pruning_id IF NOT EXISTS FOR (p:Pruning) REQUIRE p.id IS UNIQUE;
CALL db.awaitIndexes(300);
