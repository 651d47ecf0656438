// answers: Lock a schedule until the transaction ends: of several services one at a time decides whether it is due.
// parameter: id STRING the schedule's id
// column: id STRING the same, where there is such a schedule
// mode: write
// index: schedule_id
MATCH (s:Schedule {id: $id})
SET s.lock = 1
RETURN s.id AS id
