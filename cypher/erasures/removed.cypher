// answers: What was removed so far by an erasure, which is locked?
// parameter: id STRING id of the erasure
// column: removed STRING counts by what it was, as JSON
// mode: write
// index: erasure_id
MATCH (e:Erasure {id: $id})
SET e.lock = 1
WITH e
RETURN e.removed AS removed
