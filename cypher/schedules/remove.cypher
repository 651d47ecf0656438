// answers: Ends a schedule of runs; runs that it asked for stay.
// parameter: id STRING the schedule's id
// column: after_changes INTEGER how many changes it waited for; no row where there is none of this id
// column: daily_at STRING its time of day
// column: publish BOOLEAN whether its runs became those that readers see
// column: spec STRING JSON of what its runs were asked
// mode: write
// index: schedule_id
MATCH (s:Schedule {id: $id})
WITH s, s.after_changes AS after_changes, s.daily_at AS daily_at, s.publish AS publish, s.spec AS spec
DELETE s
RETURN after_changes, daily_at, publish, spec
