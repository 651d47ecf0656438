// answers: End a run, locked before, without a result, and say why.
// parameter: id STRING the run's id
// parameter: state STRING failed or cancelled
// parameter: code STRING stable code of the error
// parameter: message STRING one sentence for people
// mode: write
// index: run_id
MATCH (r:Run {id: $id})
SET r.state = $state, r.error_code = $code, r.error_message = $message, r.finished_at = datetime(), r.progress = null
