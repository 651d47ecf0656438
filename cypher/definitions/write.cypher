// answers: Keeps what people define as a community; defined again, its name is the new one.
// parameter: id STRING id of the community
// parameter: name STRING what people call it
// parameter: definition STRING the definition as JSON
// column: created BOOLEAN whether it is new
// mode: write
// index: definition_id
MERGE (d:Definition {id: $id})
ON CREATE SET d.created_at = datetime()
WITH d, d.name IS NULL AS created
SET d.name = $name, d.definition = $definition
RETURN created
