// answers: Which values do measures of analysts give an account?
// parameter: key STRING the account's key
// column: measure STRING name of the measure
// column: meaning STRING what it measures
// column: value FLOAT the value of the account
// column: written_at ZONED DATETIME when it was written
// mode: read
// index: account_key
MATCH (:Account {key: $key})-[v:MEASURED]->(m:OwnMeasure)
WHERE m.pending IS NULL
RETURN m.name AS measure, m.meaning AS meaning, v.value AS value, m.written_at AS written_at
ORDER BY measure
