// answers: All accounts, with what a run found of each in its own community, in order of their keys.
// parameter: run STRING the run's id, null for none
// column: id INTEGER id of the account within Neo4j
// column: account MAP what is known of it; created_at in milliseconds since 1970 UTC
// column: community STRING id of its community; null for one that is in none, or opted out
// column: topics LIST<STRING> topics in the community's label
// column: membership MAP properties of its membership there, null likewise
// mode: read
// index: account_key
MATCH (a:Account)
USING INDEX a:Account(key)
WHERE a.key >= ''
WITH a
ORDER BY a.key
CALL (a) {
  OPTIONAL MATCH (a)-[m:MEMBER_OF {primary: true}]->(c:Community)
  WHERE NOT coalesce(a.opted_out, false) AND EXISTS { (c)<-[:FOUND]-(:Run {id: $run}) }
  RETURN m, c
  LIMIT 1
}
RETURN
  id(a) AS id,
  a {
    .key, .handle, .name, .bio, .lang, .location, .followers, .opted_out, created_at: a.created_at.epochMillis
  } AS account,
  c.id AS community, c.topics AS topics, m {.*} AS membership
