// answers: Which actions of other members of its community gave an account standing in a run? A part, of some days.
// parameter: run STRING the run's id
// parameter: key STRING the account's key
// parameter: first DATE the first of the days; null for no day
// parameter: last DATE the last of the days; null likewise
// parameter: undated BOOLEAN whether follows of which nobody knows since when are among them, after all others
// parameter: kinds LIST<STRING> kinds of interactions, in the order in which those of one actor and day are told
// parameter: skip INTEGER how many actions come before these
// parameter: limit INTEGER how many at most
// column: day DATE when; null where nobody knows
// column: actor STRING key of who did it
// column: handle STRING handle of the same, null where unknown
// column: hidden BOOLEAN whether it opted out: it may not be named
// column: kind STRING one of the kinds, or follows
// column: times INTEGER how often
// column: weight INTEGER how many times what this account does counts
// mode: read
// index: account_key
// index: run_id
MATCH (a:Account {key: $key})
USING INDEX a:Account(key)
MATCH (r:Run {id: $run})
USING INDEX r:Run(id)
MATCH (a)-[own:SCORED]->(r)
CALL (a, r, own) {
  MATCH (j:Account)-[e:ENGAGED]->(a)
  WHERE e.day >= $first AND e.day <= $last AND j <> a
  // From who engaged to the run, and not from the run to all accounts.
  WITH r, own, j, e
  MATCH (j)-[s:SCORED]->(r)
  WHERE s.community = own.community
  UNWIND range(0, size($kinds) - 1) AS place
  WITH j, e, s, place, e[$kinds[place]] AS times
  WHERE times > 0
  RETURN e.day AS day, false AS follows, j, place, times, s.standing_weight AS weight
  UNION ALL
  MATCH (j:Account)-[f:FOLLOWS]->(a)
  WITH
    a, r, own, j,
    CASE
      // A list of all followers says that they follow, and not since when.
      WHEN f.at IS NULL OR f.at = a.followers_complete_at THEN null
      ELSE date(datetime({datetime: f.at, timezone: 'UTC'}))
    END AS day
  WHERE ($undated AND day IS NULL) OR (day >= $first AND day <= $last)
  MATCH (j)-[s:SCORED]->(r)
  WHERE s.community = own.community
    // Within a follow ring, follows in return of those who never engaged with each other count nothing.
    AND NOT (
      s.follow_ring IS NOT NULL AND s.follow_ring = own.follow_ring
      AND EXISTS { (a)-[:FOLLOWS]->(j) } AND NOT EXISTS { (a)-[:ENGAGED]-(j) }
    )
  RETURN day, true AS follows, j, 0 AS place, 1 AS times, s.standing_weight AS weight
}
WITH day, follows, j, place, times, weight
ORDER BY day IS NULL, day DESC, follows, j.key, place
SKIP $skip
LIMIT $limit
RETURN
  day, j.key AS actor, j.handle AS handle, coalesce(j.opted_out, false) AS hidden,
  CASE WHEN follows THEN 'follows' ELSE $kinds[place] END AS kind, times, weight
ORDER BY day IS NULL, day DESC, follows, actor, place
