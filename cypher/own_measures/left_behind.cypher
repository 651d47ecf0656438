// answers: Which measures of analysts were begun, or given up, long ago and never finished, or removed?
// column: name STRING what it is called
// mode: read
// index: own_measure_name
MATCH (m:OwnMeasure)
USING INDEX m:OwnMeasure(name)
WHERE m.name >= '' AND m.pending AND m.written_at < datetime() - duration({days: 1})
RETURN m.name AS name ORDER BY name
