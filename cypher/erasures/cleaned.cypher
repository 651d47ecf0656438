// answers: Notes that a machine has nothing of some erased accounts any more.
// parameter: ids LIST<STRING> ids of the erasures
// parameter: journal STRING id of the machine's journal
// mode: write
// index: erasure_id
UNWIND $ids AS id
MATCH (e:Erasure {id: id})
SET e.machines = CASE WHEN $journal IN e.machines THEN e.machines ELSE e.machines + $journal END
