// answers: Which communities did a run find, and what stands for the memberships of each?
// parameter: run STRING the run's id
// column: id STRING the community's id
// column: run STRING the run that its node names: the latest that found it like this
// column: members_digest STRING SHA-256 over its memberships
// mode: read
// index: run_id
MATCH (:Run {id: $run})-[:FOUND]->(c:Community)
WHERE c.members_digest IS NOT NULL
RETURN c.id AS id, c.run AS run, c.members_digest AS members_digest
