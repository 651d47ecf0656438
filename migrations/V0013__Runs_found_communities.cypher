// Data: each run is tied to the communities that it found, and runs of before started from none.
MATCH (c:Community)
MATCH (r:Run {id: c.run})
MERGE (r)-[:FOUND]->(c);
MATCH (r:Run)
WHERE r.start IS NULL AND r.state <> 'queued'
SET r.start = 'cold';
