// answers: All that people defined as communities.
// column: definition STRING the definition as JSON
// mode: read
// index: definition_id
MATCH (d:Definition)
USING INDEX d:Definition(id)
WHERE d.id >= ''
RETURN d.definition AS definition ORDER BY d.id
