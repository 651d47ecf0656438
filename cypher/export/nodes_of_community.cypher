// answers: All members of one community, with what a run found of each there, in order of their keys.
// parameter: run STRING the run's id
// parameter: community STRING id of the community
// column: id INTEGER id of the account within Neo4j
// column: account MAP what is known of it; created_at in milliseconds since 1970 UTC
// column: community STRING id of the community; null for an account that opted out
// column: topics LIST<STRING> topics in the community's label
// column: membership MAP properties of its membership, null likewise
// mode: read
// index: run_id
MATCH (:Run {id: $run})-[:FOUND]->(c:Community {id: $community, level: 0})
MATCH (a:Account)-[m:MEMBER_OF]->(c)
WHERE m.primary OR coalesce(c.kind, 'found') <> 'found'
WITH a, c, m, NOT coalesce(a.opted_out, false) AS shown
ORDER BY a.key
RETURN
  id(a) AS id,
  a {
    .key, .handle, .name, .bio, .lang, .location, .followers, .opted_out, created_at: a.created_at.epochMillis
  } AS account,
  CASE WHEN shown THEN c.id END AS community, CASE WHEN shown THEN c.topics END AS topics,
  CASE WHEN shown THEN m {.*} END AS membership
