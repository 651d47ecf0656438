// answers: Notes which persons the account of an erasure is of, before nothing says so any more.
// parameter: id STRING id of the erasure
// parameter: persons LIST<STRING> keys of persons
// column: persons LIST<STRING> all that were noted
// mode: write
// index: erasure_id
MATCH (e:Erasure {id: $id})
SET e.persons = coalesce(e.persons, []) + [p IN $persons WHERE NOT p IN coalesce(e.persons, [])]
RETURN e.persons AS persons
