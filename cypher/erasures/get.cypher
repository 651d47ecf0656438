// answers: How far is an erasure, and what was removed?
// parameter: id STRING id of the erasure
// column: erasure MAP its properties
// column: waiting_for LIST<STRING> journals of machines that were seen lately and have not said that they are done
// mode: read
// index: erasure_id
MATCH (e:Erasure {id: $id})
RETURN
  e {.id, .state, .asked_at, .begun_at, .done_at, .removed} AS erasure,
  CASE WHEN e.key IS NULL THEN [] ELSE COLLECT {
    MATCH (j:Journal)
    WHERE j.seen_at > datetime() - duration({days: 30}) AND NOT j.id IN e.machines
    RETURN j.id ORDER BY j.id
  } END AS waiting_for
