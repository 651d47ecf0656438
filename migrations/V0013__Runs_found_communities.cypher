// Data: each run is tied to the communities that it found, and runs of before started from none.
MATCH (c:Community)
MATCH (r:Run {id: c.run})
MERGE (r)-[:FOUND]->(c);
MATCH (r:Run)
WHERE r.spec IS NOT NULL AND NOT r.spec CONTAINS '"start":'
SET r.spec = left(r.spec, size(r.spec) - 1) + ',"start":"cold"}';
