// answers: Which migration was applied last?
// column: version STRING its version, e.g. 0002; no row before the first
// mode: read
// index: entourage_migrations_version
MATCH (m:__Neo4jMigration)
USING INDEX m:__Neo4jMigration(version)
WHERE m.version >= '0000' AND m.version < 'A'
RETURN m.version AS version
ORDER BY m.version DESC
LIMIT 1
