// Schema: schedules of runs. The same schedule twice is one.
CREATE CONSTRAINT schedule_id IF NOT EXISTS FOR (s:Schedule) REQUIRE s.id IS UNIQUE;
CALL db.awaitIndexes(300);
