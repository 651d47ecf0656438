// answers: Forgets a mix of lenses.
// parameter: name STRING its name
// column: weights STRING what each of its members weighed, as JSON; no row where there is none of this name
// column: created_at ZONED DATETIME when it was first kept
// mode: write
// index: mix_name
MATCH (m:Mix {name: $name})
WITH m, m.weights AS weights, m.created_at AS created_at
DELETE m
RETURN weights, created_at
