// answers: Which listeners of an account have ties of some weights, by weight and then by key? A part of them.
// parameter: run STRING the run's id: follows count that it counted, and those that came since
// parameter: key STRING the account's key
// parameter: first DATE the first day that counts
// parameter: last DATE the last day that counts
// parameter: masked LIST<STRING> keys of accounts that may not be named, beside those that opted out
// parameter: engaged LIST<LIST> ties with interactions in the window: key of the account, place of the weight
// parameter: quiet LIST<LIST> weights of follows without: the weight, place of the weight among those of all ties
// parameter: skip INTEGER how many accounts come before these
// parameter: limit INTEGER how many at most
// column: place INTEGER place of the weight of the tie
// column: account STRING key of the account
// column: handle STRING handle of the same, null where unknown
// mode: read
// index: account_key
// index: run_id
MATCH (a:Account {key: $key})
USING INDEX a:Account(key)
MATCH (r:Run {id: $run})
USING INDEX r:Run(id)
OPTIONAL MATCH (a)-[own:SCORED]->(r)
CALL (a, r, own) {
  UNWIND $engaged AS tie
  MATCH (j:Account {key: tie[0]})
  USING INDEX j:Account(key)
  RETURN j, tie[1] AS place
  UNION ALL
  WITH a, r, own
  WHERE size($quiet) > 0
  MATCH (a)<-[f:FOLLOWS]-(j:Account)
  WHERE j <> a AND NOT coalesce(j.opted_out, false) AND NOT j.key IN $masked
    AND NOT EXISTS { (a)<-[e:ENGAGED]-(j:Account) WHERE e.day >= $first AND e.day <= $last }
  WITH a, r, own, j, coalesce(f.weight, 1.0) AS follow
  OPTIONAL MATCH (j)-[s:SCORED]->(r)
  WITH
    j,
    CASE
      // Who has follows of which none counts is in no community.
      WHEN own IS NOT NULL AND own.community IS NULL THEN null
      WHEN s IS NOT NULL AND s.community IS NULL THEN null
      // Within a follow ring, follows in return of those who never engaged with each other count nothing.
      WHEN s.follow_ring IS NOT NULL AND s.follow_ring = own.follow_ring
        AND EXISTS { (a)-[:FOLLOWS]->(j) } AND NOT EXISTS { (a)-[:ENGAGED]-(j) } THEN null
      ELSE follow
    END AS follow
  WITH j, head([tie IN $quiet WHERE tie[0] = follow | tie[1]]) AS place
  WHERE place IS NOT NULL
  RETURN j, place
}
WITH j, place
ORDER BY place, j.key
SKIP $skip
LIMIT $limit
RETURN place, j.key AS account, j.handle AS handle
ORDER BY place, account
