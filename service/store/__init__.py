"""Neo4j: embedded server, driver, queries, migrations, edges, snapshots, runs and published sets."""
