// answers: Which values do measures of analysts give accounts? In order of measures and the accounts' keys; without those that opted out.
// column: account STRING key of the account
// column: measure STRING name of the measure
// column: value FLOAT its value
// mode: read
// index: own_measure_name
MATCH (m:OwnMeasure)
USING INDEX m:OwnMeasure(name)
WHERE m.name >= '' AND m.pending IS NULL
MATCH (m)<-[v:MEASURED]-(a:Account)
WHERE NOT coalesce(a.opted_out, false)
RETURN a.key AS account, m.name AS measure, v.value AS value
ORDER BY measure, account
