// Schema: runs hold no keys any more.
DROP CONSTRAINT run_idempotency_key IF EXISTS;
CALL db.awaitIndexes(300);
