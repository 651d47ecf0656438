// Schema: the lease, of which there is one: whoever claims a run locks it first, so that one analysis runs at a time.
CREATE CONSTRAINT lease_id IF NOT EXISTS FOR (l:Lease) REQUIRE l.id IS UNIQUE;
CALL db.awaitIndexes(300);
