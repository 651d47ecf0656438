// answers: How many actions of other members of its community gave an account standing in a run, with how many points?
// parameter: run STRING the run's id
// parameter: key STRING the account's key
// parameter: first DATE the first day that counts
// parameter: last DATE the last day that counts
// parameter: kinds LIST<MAP> kinds of interactions: name STRING, points INTEGER of one
// parameter: most INTEGER how many of one kind, pair and day count
// parameter: follow_points INTEGER points of a follow
// column: day DATE when; null for follows of which nobody knows since when
// column: actions INTEGER how many
// column: points INTEGER what they give
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
  UNWIND $kinds AS kind
  WITH e, s, kind, e[kind.name] AS times
  WHERE times > 0
  RETURN e.day AS day, kind.points * CASE WHEN times < $most THEN times ELSE $most END * s.standing_weight AS points
  UNION ALL
  MATCH (j:Account)-[f:FOLLOWS]->(a)
  WITH
    a, r, own, j,
    CASE
      // A list of all followers says that they follow, and not since when.
      WHEN f.at IS NULL OR f.at = a.followers_complete_at THEN null
      ELSE date(datetime({datetime: f.at, timezone: 'UTC'}))
    END AS day
  WHERE day IS NULL OR (day >= $first AND day <= $last)
  MATCH (j)-[s:SCORED]->(r)
  WHERE s.community = own.community
    // Within a follow ring, follows in return of those who never engaged with each other count nothing.
    AND NOT (
      s.follow_ring IS NOT NULL AND s.follow_ring = own.follow_ring
      AND EXISTS { (a)-[:FOLLOWS]->(j) } AND NOT EXISTS { (a)-[:ENGAGED]-(j) }
    )
  RETURN day, $follow_points * s.standing_weight AS points
}
RETURN day, count(*) AS actions, sum(points) AS points
ORDER BY day IS NULL, day DESC
