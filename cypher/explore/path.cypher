// answers: Over whom does a brand reach an account, by the shortest ways along follows, either way round, from its own accounts and employees?
// group: Brands
// parameter: brand STRING the brand's key
// example: brand "aubade"
// parameter: key STRING key of the account to be reached
// example: key "sample:u000237"
// parameter: steps INTEGER over so many follows at most, up to 6
// default: steps 4
// parameter: most INTEGER how many ways at most
// default: most 5
// column: steps INTEGER follows on the way; 0 where the account is of the brand itself
// column: starts STRING what the first account is to the brand: own account or employee
// column: keys LIST<STRING> keys of the accounts on the way, the first one of the brand; nobody who opted out is on it
// column: handles LIST<STRING> handles of the same, empty where unknown
// column: follows LIST<STRING> of each step: forth (the one nearer the brand follows the next), back, or both
// mode: read
// index: brand_key
// index: account_key
// index: run_id
// cost: a search from both ends that ends where they meet
MATCH (current:Current)
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
MATCH (b:Brand {key: $brand})
USING INDEX b:Brand(key)
MATCH (t:Account {key: $key})
USING INDEX t:Account(key)
WHERE NOT (coalesce(t.opted_out, false) OR t.erasure_asked_at IS NOT NULL)
MATCH ALL SHORTEST
  (b)<-[e:ACCOUNT_OF|EMPLOYEE_OF
    WHERE coalesce(e.since <= r.as_of, true) AND coalesce(e.until > r.as_of, true)
  ]-(s:Account WHERE NOT (coalesce(s.opted_out, false) OR s.erasure_asked_at IS NOT NULL))
  ((:Account)-[:FOLLOWS]-(y:Account WHERE NOT (coalesce(y.opted_out, false) OR y.erasure_asked_at IS NOT NULL))){0,6}(t)
// Who follows each other is on two ways that name the same accounts.
WITH DISTINCT type(e) AS relation, [s] + y AS way
WHERE size(way) - 1 <= $steps
WITH way, max(relation = 'ACCOUNT_OF') AS own, [a IN way | a.key] AS keys
ORDER BY size(way), own DESC, keys
LIMIT $most
RETURN
  size(way) - 1 AS steps, CASE WHEN own THEN 'own account' ELSE 'employee' END AS starts, keys,
  [a IN way | coalesce(a.handle, '')] AS handles,
  [i IN range(0, size(way) - 2) |
    CASE
      WHEN NOT EXISTS { WITH way[i] AS one, way[i + 1] AS next MATCH (one)<-[:FOLLOWS]-(next) RETURN 1 } THEN 'forth'
      WHEN EXISTS { WITH way[i] AS one, way[i + 1] AS next MATCH (one)-[:FOLLOWS]->(next) RETURN 1 } THEN 'both'
      ELSE 'back'
    END
  ] AS follows
ORDER BY steps, starts DESC, keys
