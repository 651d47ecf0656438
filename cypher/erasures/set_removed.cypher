// answers: Notes what was removed so far by an erasure.
// parameter: id STRING id of the erasure
// parameter: removed STRING counts by what it was, as JSON
// mode: write
// index: erasure_id
MATCH (e:Erasure {id: $id})
SET e.removed = $removed
