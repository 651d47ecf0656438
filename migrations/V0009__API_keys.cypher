// Schema: keys of the HTTP API. Of a key only its SHA-256 is kept.
CREATE CONSTRAINT api_key_id IF NOT EXISTS FOR (k:ApiKey) REQUIRE k.id IS UNIQUE;
CALL db.awaitIndexes(300);
