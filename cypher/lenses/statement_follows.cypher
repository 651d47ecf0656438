// answers: Which follows by other members of its community gave an account standing in a run? Those that count.
// parameter: run STRING the run's id
// parameter: key STRING the account's key
// parameter: first ZONED DATETIME from when on they count
// parameter: until ZONED DATETIME before when
// column: actor STRING key of the follower
// column: handle STRING handle of the same, null where unknown
// column: hidden BOOLEAN whether it opted out: it may not be named
// column: weight INTEGER how many times what this account does counts
// column: day DATE since when; null where nobody knows
// mode: read
// index: account_key
// index: run_id
MATCH (a:Account {key: $key})
USING INDEX a:Account(key)
MATCH (r:Run {id: $run})
USING INDEX r:Run(id)
MATCH (a)-[own:SCORED]->(r)
// From follower to run, and not from the run to all accounts.
WITH a, r, own
MATCH (j:Account)-[f:FOLLOWS]->(a)
WHERE f.at IS NULL OR (f.at >= $first AND f.at < $until)
WITH a, r, own, j, f
MATCH (j)-[s:SCORED]->(r)
WHERE s.community = own.community
  // Within a follow ring, follows in return of those who never engaged with each other count nothing.
  AND NOT (
    s.follow_ring IS NOT NULL AND s.follow_ring = own.follow_ring
    AND EXISTS { (a)-[:FOLLOWS]->(j) } AND NOT EXISTS { (a)-[:ENGAGED]-(j) }
  )
RETURN
  j.key AS actor, j.handle AS handle, coalesce(j.opted_out, false) AS hidden, s.standing_weight AS weight,
  CASE WHEN f.at IS NULL THEN null ELSE date(datetime({datetime: f.at, timezone: 'UTC'})) END AS day
ORDER BY day DESC, actor
