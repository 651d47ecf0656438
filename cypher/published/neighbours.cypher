// answers: Who stands just above and just below an account in a community of a run: of a candidate among candidates, of others in the base? Ties of score go by key.
// parameter: run STRING the run's id
// parameter: community STRING the community's id
// parameter: key STRING the account's key
// column: side STRING above or below
// column: membership MAP properties of the membership, with key and handle
// mode: read
// index: account_key
MATCH (a:Account {key: $key})-[m:MEMBER_OF]->(c:Community)
USING INDEX a:Account(key)
WHERE c.id = $community AND EXISTS { MATCH (c)<-[:FOUND]-(r:Run) WHERE r.id = $run }
CALL (a, m, c) {
  MATCH (b:Account)-[n:MEMBER_OF]->(c)
  WHERE b.key <> a.key AND n.score IS NOT NULL AND NOT coalesce(b.opted_out, false)
    AND (m.rank IS NULL OR n.rank IS NOT NULL)
    AND (n.score > m.score OR (n.score = m.score AND b.key < a.key))
  RETURN 'above' AS side, n {.*, key: b.key, handle: b.handle} AS membership
  ORDER BY n.score, b.key DESC LIMIT 1
UNION ALL
  MATCH (b:Account)-[n:MEMBER_OF]->(c)
  WHERE b.key <> a.key AND n.score IS NOT NULL AND NOT coalesce(b.opted_out, false)
    AND (m.rank IS NULL OR n.rank IS NOT NULL)
    AND (n.score < m.score OR (n.score = m.score AND b.key > a.key))
  RETURN 'below' AS side, n {.*, key: b.key, handle: b.handle} AS membership
  ORDER BY n.score DESC, b.key LIMIT 1
}
RETURN side, membership
