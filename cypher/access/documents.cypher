// answers: Which definitions of communities, runs and schedules may name an account in what they were asked, or found?
// parameter: forms LIST<STRING> the account's key, as JSON may write it
// column: kind STRING definition, run or schedule
// column: id STRING its id
// column: property STRING in which of its properties
// column: document STRING that property, JSON
// mode: read
// index: definition_id
// index: run_id
// index: schedule_id
CALL () {
  MATCH (x:Definition)
  USING INDEX x:Definition(id)
  WHERE x.id >= ''
  UNWIND ['definition'] AS property
  RETURN 'definition' AS kind, x.id AS id, property, x[property] AS document
UNION ALL
  MATCH (x:Run)
  USING INDEX x:Run(id)
  WHERE x.id >= ''
  UNWIND ['spec', 'quality', 'backtest', 'report'] AS property
  RETURN 'run' AS kind, x.id AS id, property, x[property] AS document
UNION ALL
  MATCH (x:Schedule)
  USING INDEX x:Schedule(id)
  WHERE x.id >= ''
  UNWIND ['spec'] AS property
  RETURN 'schedule' AS kind, x.id AS id, property, x[property] AS document
}
WITH kind, id, property, document
WHERE any(form IN $forms WHERE document CONTAINS form)
RETURN kind, id, property, document
