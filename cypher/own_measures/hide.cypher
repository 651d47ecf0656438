// answers: Takes a measure of an analyst away from everybody, before its values are removed.
// parameter: name STRING its name
// parameter: hidden STRING what it is called from now on
// column: found INTEGER 1 where there was one of this name
// mode: write
// index: own_measure_name
MATCH (m:OwnMeasure {name: $name})
WHERE m.pending IS NULL
SET m.name = $hidden, m.pending = true
RETURN count(m) AS found
