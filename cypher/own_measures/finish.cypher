// answers: Lets a measure of an analyst that is written whole take the place of the one that has its name.
// parameter: pending STRING what it is called until now
// parameter: name STRING its name
// parameter: replaced STRING what the one of before is called from now on, until it is removed
// column: written_at ZONED DATETIME when it was written
// mode: write
// index: own_measure_name
MATCH (m:OwnMeasure {name: $pending})
CALL () {
  MATCH (old:OwnMeasure {name: $name})
  SET old.name = $replaced, old.pending = true
}
SET m.name = $name, m.written_at = datetime()
REMOVE m.pending
RETURN m.written_at AS written_at
