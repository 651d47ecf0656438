// answers: From now on, readers see this run.
// parameter: id STRING the run's id
// mode: write
// index: current_id
MERGE (c:Current {id: 1})
SET c.run = $id
