// answers: Which employees and collaborators of a brand have an audience that is mostly its customers and users?
// group: Brands
// parameter: brand STRING the brand's key
// example: brand "aubade"
// parameter: known INTEGER of at least so many followers it must be known what they are to any brand
// default: known 5
// parameter: most INTEGER how many at most
// default: most 20
// column: account STRING key of the employee or collaborator
// column: handle STRING handle of the same, null where unknown
// column: relations LIST<STRING> employee, collaborator; those that are active at the end of the data
// column: followers INTEGER accounts that follow it, the brand's own not counted
// column: known INTEGER of these, those with an active relation to any brand
// column: customers INTEGER of these, the active customers and users of this brand
// column: share_of_known FLOAT customers as a share of known
// column: share_of_followers FLOAT customers as a share of followers: at least so many are
// mode: read
// index: brand_key
// index: run_id
// cost: one look at each follower of each employee and collaborator
MATCH (current:Current)
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
MATCH (b:Brand {key: $brand})
USING INDEX b:Brand(key)
MATCH (a:Account)-[w:EMPLOYEE_OF|COLLABORATES_WITH]->(b)
WHERE
  coalesce(w.since <= r.as_of, true) AND coalesce(w.until > r.as_of, true)
  AND NOT (coalesce(a.opted_out, false) OR a.erasure_asked_at IS NOT NULL) AND NOT EXISTS { (a)-[:ACCOUNT_OF]->(b) }
WITH r, b, a, type(w) AS type ORDER BY type DESC
WITH
  r, b, a,
  collect(DISTINCT CASE type WHEN 'EMPLOYEE_OF' THEN 'employee' ELSE 'collaborator' END) AS relations
CALL (a, b, r) {
  MATCH (a)<-[:FOLLOWS]-(j:Account)
  WHERE NOT EXISTS { (j)-[:ACCOUNT_OF]->(b) }
  WITH
    EXISTS {
      MATCH (j)-[w:EMPLOYEE_OF|COLLABORATES_WITH|CUSTOMER_OF|USES]->(:Brand)
      WHERE coalesce(w.since <= r.as_of, true) AND coalesce(w.until > r.as_of, true)
    } AS is_known,
    EXISTS {
      MATCH (j)-[w:CUSTOMER_OF|USES]->(b)
      WHERE coalesce(w.since <= r.as_of, true) AND coalesce(w.until > r.as_of, true)
    } AS buys
  RETURN
    count(*) AS followers, count(CASE WHEN is_known THEN 1 END) AS known, count(CASE WHEN buys THEN 1 END) AS customers
}
WITH a, relations, followers, known, customers
WHERE known >= $known AND known > 0
RETURN
  a.key AS account, a.handle AS handle, relations, followers, known, customers,
  toFloat(customers) / known AS share_of_known, toFloat(customers) / followers AS share_of_followers
ORDER BY share_of_known DESC, customers DESC, account
LIMIT $most
