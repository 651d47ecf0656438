// answers: Writes values of a measure of an analyst.
// parameter: name STRING its name
// parameter: rows LIST<MAP> accounts: key STRING, value FLOAT
// column: unknown LIST<STRING> keys of accounts that are not in the graph
// mode: write
// index: own_measure_name
// index: account_key
MATCH (m:OwnMeasure {name: $name})
UNWIND $rows AS row
OPTIONAL MATCH (a:Account {key: row.key})
USING INDEX a:Account(key)
FOREACH (one IN CASE WHEN a IS NULL THEN [] ELSE [a] END | CREATE (one)-[:MEASURED {value: row.value}]->(m))
RETURN collect(CASE WHEN a IS NULL THEN row.key END) AS unknown
