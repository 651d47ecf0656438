// answers: Who is something to a brand and never spoke of it, neither well nor ill?
// group: Brands
// parameter: brand STRING the brand's key
// example: brand "aubade"
// parameter: most INTEGER how many at most
// default: most 20
// column: account STRING key of the account
// column: handle STRING handle of the same, null where unknown
// column: relations LIST<STRING> what it is to the brand at the end of the data: employee, collaborator, customer, user
// column: since ZONED DATETIME since when it is any of these; null where unknown
// column: community STRING id of its community, null where it is in none
// column: rank INTEGER place among the candidates of its community; null where it is none
// column: candidates INTEGER how many candidates the community has, null likewise
// column: followers INTEGER accounts that follow it in the graph
// column: posts INTEGER posts that it published
// mode: read
// index: brand_key
// index: run_id
// cost: one look at each account with a relation to the brand and its posts
MATCH (current:Current)
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
MATCH (b:Brand {key: $brand})
USING INDEX b:Brand(key)
MATCH (a:Account)-[w:EMPLOYEE_OF|COLLABORATES_WITH|CUSTOMER_OF|USES]->(b)
WHERE
  coalesce(w.since <= r.as_of, true) AND coalesce(w.until > r.as_of, true)
  AND NOT (coalesce(a.opted_out, false) OR a.erasure_asked_at IS NOT NULL) AND NOT EXISTS { (a)-[:ACCOUNT_OF]->(b) }
WITH
  r, b, a, min(w.since) AS since,
  collect(DISTINCT CASE type(w)
    WHEN 'EMPLOYEE_OF' THEN 'employee' WHEN 'COLLABORATES_WITH' THEN 'collaborator'
    WHEN 'CUSTOMER_OF' THEN 'customer' ELSE 'user'
  END) AS held
WHERE NOT EXISTS { (a)-[:POSTED]->(:Post)-[:MENTIONS]->(b) }
OPTIONAL MATCH (a)-[m:MEMBER_OF {primary: true}]->(c:Community {level: 0})
WHERE EXISTS { (c)<-[:FOUND]-(r) }
WITH a, since, held, m.rank AS rank, c, COUNT { (a)<-[:FOLLOWS]-() } AS followers
// Ranks of different communities do not compare: who is a candidate comes first, then who is followed by most.
ORDER BY rank IS NULL, followers DESC, a.key
LIMIT $most
RETURN
  a.key AS account, a.handle AS handle,
  [one IN ['employee', 'collaborator', 'customer', 'user'] WHERE one IN held] AS relations, since,
  c.id AS community, rank, CASE WHEN rank IS NOT NULL THEN c.candidates END AS candidates, followers,
  COUNT { (a)-[:POSTED]->(:Post) } AS posts
ORDER BY rank IS NULL, followers DESC, account
