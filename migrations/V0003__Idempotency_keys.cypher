// Schema: a key of a request is a node of its own, so that one run can answer several of them.
CREATE CONSTRAINT idempotency_key IF NOT EXISTS FOR (k:IdempotencyKey) REQUIRE k.key IS UNIQUE;
CALL db.awaitIndexes(300);
