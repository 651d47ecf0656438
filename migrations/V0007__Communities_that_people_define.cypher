// Schema: what people define as a community is kept by its id, so that defining it twice changes nothing.
CREATE CONSTRAINT definition_id IF NOT EXISTS FOR (d:Definition) REQUIRE d.id IS UNIQUE;
CALL db.awaitIndexes(300);
