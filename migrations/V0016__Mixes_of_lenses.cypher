// Schema: mixes of lenses are kept under names.
CREATE CONSTRAINT mix_name IF NOT EXISTS FOR (m:Mix) REQUIRE m.name IS UNIQUE;
CALL db.awaitIndexes(300);
