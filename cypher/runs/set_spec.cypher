// answers: Write the specification of a run, locked before, with what it starts from.
// parameter: id STRING the run's id
// parameter: spec STRING canonical JSON of the specification
// mode: write
// index: run_id
MATCH (r:Run {id: $id})
SET r.spec = $spec
