// answers: All memberships that a run found, in order of the accounts' keys; without accounts that opted out.
// parameter: run STRING the run's id
// column: account STRING key of the account
// column: community STRING id of the community
// column: membership MAP properties of the membership
// mode: read
// index: account_key
MATCH (a:Account)
USING INDEX a:Account(key)
WHERE a.key >= '' AND NOT coalesce(a.opted_out, false)
WITH a
ORDER BY a.key
CALL (a) {
  MATCH (a)-[m:MEMBER_OF]->(c:Community)
  WHERE EXISTS { (c)<-[:FOUND]-(:Run {id: $run}) }
  WITH m, c
  ORDER BY c.id
  RETURN c.id AS community, m {.*} AS membership
}
RETURN a.key AS account, community, membership
