// answers: Keeps a schedule of runs; one that is there already stays as it is.
// parameter: id STRING the schedule's id, made from what it says
// parameter: after_changes INTEGER how many changes it waits for; null for one by time
// parameter: daily_at STRING time of day in UTC, HH:MM; null for one by changes
// parameter: publish BOOLEAN whether its runs become those that readers see
// parameter: spec STRING JSON of what its runs are asked
// parameter: created_at INTEGER when it was made, in milliseconds since 1970 UTC
// column: created BOOLEAN whether it is new
// mode: write
// index: schedule_id
MERGE (s:Schedule {id: $id})
WITH s, s.created_at IS NULL AS created
SET
  s.after_changes = $after_changes, s.daily_at = $daily_at, s.publish = $publish, s.spec = $spec,
  s.created_at = coalesce(s.created_at, datetime({epochMillis: $created_at}))
RETURN created
