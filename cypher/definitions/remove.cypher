// answers: Forgets what people defined as a community; runs that are kept say what they said.
// parameter: id STRING id of the community
// column: definition STRING the definition as JSON; no row where there is none of this id
// mode: write
// index: definition_id
MATCH (d:Definition {id: $id})
WITH d, d.definition AS definition
DELETE d
RETURN definition
