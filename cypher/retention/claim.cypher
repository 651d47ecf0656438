// answers: Is what became too old by a day to be removed by this process? Locks what says so until the transaction ends.
// parameter: day STRING the day in UTC, YYYY-MM-DD
// parameter: by STRING name of the process, which no other has
// parameter: now INTEGER time in milliseconds since 1970 UTC
// parameter: silent_ms INTEGER after so long another one that began gives no sign of life any more
// column: done BOOLEAN whether all of it is removed already
// column: mine BOOLEAN whether this process is to remove it
// mode: write
// index: pruning_id
MERGE (p:Pruning {id: 1})
SET p.lock = 1
WITH p, coalesce(p.done_day >= $day, false) AS done
WITH p, done,
  NOT done AND (p.by IS NULL OR p.by = $by OR coalesce(p.alive_at.epochMillis, 0) < $now - $silent_ms) AS mine
SET
  p.by = CASE WHEN mine THEN $by ELSE p.by END,
  p.alive_at = CASE WHEN mine THEN datetime({epochMillis: $now}) ELSE p.alive_at END
RETURN done, mine
