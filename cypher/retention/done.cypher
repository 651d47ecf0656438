// answers: Notes that what became too old by a day is removed, by the process that was to do it.
// parameter: day STRING the day in UTC, YYYY-MM-DD
// parameter: by STRING name of the process
// mode: write
// index: pruning_id
MATCH (p:Pruning {id: 1})
WHERE p.by = $by
SET p.done_day = $day
REMOVE p.by, p.alive_at
