// answers: Keeps a mix of lenses under a name; kept again, it has the new weights.
// parameter: name STRING its name
// parameter: weights STRING what each of its members weighs, as JSON
// column: created_at ZONED DATETIME when it was first kept
// column: created BOOLEAN whether the name is new
// mode: write
// index: mix_name
MERGE (m:Mix {name: $name})
ON CREATE SET m.created_at = datetime()
WITH m, m.weights IS NULL AS created
SET m.weights = $weights
RETURN m.created_at AS created_at, created
