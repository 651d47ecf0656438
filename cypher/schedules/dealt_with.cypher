// answers: Notes what became of a schedule, locked before, that was due.
// parameter: id STRING the schedule's id
// parameter: run STRING id of the run that it asked for; null where there was nothing to analyse
// parameter: at INTEGER when it was dealt with, in milliseconds since 1970 UTC
// parameter: due_at INTEGER the moment of daily_at, likewise; null for one by changes
// parameter: v INTEGER version of the graph that was looked at
// mode: write
// index: schedule_id
MATCH (s:Schedule {id: $id})
SET
  s.last_run = coalesce($run, s.last_run),
  s.last_asked_at = CASE WHEN $run IS NULL THEN s.last_asked_at ELSE datetime({epochMillis: $at}) END,
  s.due_at = CASE WHEN $due_at IS NULL THEN s.due_at ELSE datetime({epochMillis: $due_at}) END,
  s.asked_version = CASE WHEN $run IS NULL THEN s.asked_version ELSE $v END
