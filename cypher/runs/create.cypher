// answers: Queue a run.
// parameter: id STRING the new run's id
// parameter: spec STRING canonical JSON of the specification
// parameter: question STRING the same without what it starts from: by it a run is found that answers already
// parameter: publish BOOLEAN whether it is to become the run that readers see
// parameter: backtest STRING JSON of what a back-test asks; null for an analysis
// column: id STRING the run's id
// mode: write
CREATE (r:Run {id: $id, state: 'queued', stage: 'queued', publish: $publish, spec: $spec, created_at: datetime()})
SET r.question = $question, r.backtest = $backtest
RETURN r.id AS id
