// answers: Forgets a measure of an analyst, with all its values.
// parameter: name STRING its name
// column: removed INTEGER 1 where there was one of this name
// mode: write
// index: own_measure_name
MATCH (m:OwnMeasure {name: $name})
DETACH DELETE m
RETURN count(*) AS removed
