// answers: What is known of one run, and is it the one that readers see?
// parameter: id STRING the run's id
// column: run MAP all properties of the run but the report of a back-test, which may be long
// column: current BOOLEAN whether readers see this run by default
// mode: read
// index: current_id
// index: run_id
MATCH (r:Run {id: $id})
OPTIONAL MATCH (c:Current {id: 1})
RETURN r {.*, report: null} AS run, coalesce(c.run = r.id, false) AS current
