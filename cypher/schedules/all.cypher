// answers: Which schedules of runs are there, when did each last ask, and what decides whether one is due?
// column: id STRING the schedule's id
// column: after_changes INTEGER how many changes it waits for; null for one by time
// column: daily_at STRING time of day in UTC, HH:MM; null for one by changes
// column: publish BOOLEAN whether its runs become those that readers see
// column: spec STRING JSON of what its runs are asked
// column: created_at INTEGER when it was made, in milliseconds since 1970 UTC
// column: last_run STRING id of the run that it last asked for; null before the first
// column: last_asked_at INTEGER when it did, in milliseconds since 1970 UTC
// column: due_at INTEGER last moment of daily_at that was dealt with, likewise
// column: waiting BOOLEAN whether that run has not ended
// column: seen INTEGER latest graph version that it has asked for, or that this run or the current one saw; -1 where none
// column: v INTEGER version of the graph now
// column: accounts INTEGER how many accounts there are
// mode: read
// index: schedule_id
// index: graph_id
// index: run_id
MATCH (s:Schedule)
USING INDEX s:Schedule(id)
WHERE s.id >= ''
MATCH (g:Graph {id: 1})
OPTIONAL MATCH (c:Current {id: 1})
OPTIONAL MATCH (current:Run {id: c.run})
OPTIONAL MATCH (last:Run {id: s.last_run})
RETURN
  s.id AS id, s.after_changes AS after_changes, s.daily_at AS daily_at, s.publish AS publish, s.spec AS spec,
  s.created_at.epochMillis AS created_at, s.last_run AS last_run, s.last_asked_at.epochMillis AS last_asked_at,
  s.due_at.epochMillis AS due_at,
  coalesce(last.state IN ['queued', 'running'], false) AS waiting,
  reduce(
    seen = -1, v IN [s.asked_version, last.graph_version, current.graph_version] | CASE WHEN v > seen THEN v ELSE seen END
  ) AS seen,
  g.v AS v,
  COUNT { (:Account) } AS accounts
ORDER BY created_at, id
