// answers: All accounts of persons, in order of their keys.
// column: person STRING key of the person
// column: account STRING key of the account
// column: said LIST<INTEGER> nothing: that never changes
// mode: read
// index: person_key
MATCH (p:Person)
USING INDEX p:Person(key)
WHERE p.key >= ''
MATCH (p)-[:HAS]->(a:Account)
RETURN p.key AS person, a.key AS account, null AS said
ORDER BY person, account
