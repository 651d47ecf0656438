// answers: Removes some values of a measure of an analyst, and the measure itself once none is left.
// parameter: name STRING its name
// parameter: most INTEGER how many values
// column: left INTEGER 1 where the measure is still there, 0 where it is gone; no row where there was none of this name
// mode: write
// index: own_measure_name
MATCH (m:OwnMeasure {name: $name})
CALL (m) {
  MATCH (m)<-[v:MEASURED]-()
  WITH v LIMIT $most
  DELETE v
  RETURN count(*) AS removed
}
WITH m, removed
FOREACH (done IN CASE WHEN removed < $most THEN [m] ELSE [] END | DELETE done)
RETURN CASE WHEN removed < $most THEN 0 ELSE 1 END AS left
