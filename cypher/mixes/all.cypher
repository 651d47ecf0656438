// answers: All mixes of lenses that people named.
// column: name STRING its name
// column: weights STRING what each of its members weighs, as JSON
// column: created_at ZONED DATETIME when it was first kept
// mode: read
// index: mix_name
MATCH (m:Mix)
USING INDEX m:Mix(name)
WHERE m.name >= ''
RETURN m.name AS name, m.weights AS weights, m.created_at AS created_at ORDER BY name
