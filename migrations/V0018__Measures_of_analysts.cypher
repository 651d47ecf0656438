// Schema: analysts write measures of their own under names.
CREATE CONSTRAINT own_measure_name IF NOT EXISTS FOR (m:OwnMeasure) REQUIRE m.name IS UNIQUE;
CALL db.awaitIndexes(300);
