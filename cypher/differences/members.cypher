// answers: Who came to communities and who left them between two runs, and where are some accounts in the later one? Who opted out is counted and never named.
// parameter: run STRING id of the later run
// parameter: since STRING id of the earlier run
// parameter: communities LIST<MAP> id STRING of a community, accounts LIST<STRING>: keys to look up with it
// parameter: most INTEGER how many keys of those who came, and of those who left, to give
// column: community STRING id of the community
// column: came INTEGER how many are members in the later run and not in the earlier one
// column: came_keys LIST<STRING> the first of their keys
// column: left INTEGER how many are members in the earlier run and not in the later one
// column: left_keys LIST<STRING> the first of their keys
// column: accounts LIST<MAP> those to look up who are there and have not opted out: key; here MAP: their membership of this community in the later run; own MAP: that of their own community, with its id as community; null where they have none
// mode: read
// index: community_id_run
// index: account_key
UNWIND $communities AS one
// One node may belong to both runs: then nobody came and nobody left.
OPTIONAL MATCH (now:Community)
USING INDEX now:Community(id, run)
WHERE now.id = one.id AND now.run IS NOT NULL AND EXISTS { MATCH (now)<-[:FOUND]-(r:Run) WHERE r.id = $run }
OPTIONAL MATCH (before:Community)
USING INDEX before:Community(id, run)
WHERE before.id = one.id AND before.run IS NOT NULL
  AND EXISTS { MATCH (before)<-[:FOUND]-(r:Run) WHERE r.id = $since }
// Members have in_base, of communities that people defined, too; secondary memberships have not.
CALL (now, before) {
  MATCH (a:Account)-[m:MEMBER_OF]->(now)
  WHERE m.in_base IS NOT NULL AND NOT EXISTS { (a)-[e:MEMBER_OF]->(before) WHERE e.in_base IS NOT NULL }
  WITH a.key AS key, coalesce(a.opted_out, false) AS hidden
  ORDER BY key
  RETURN count(*) AS came, collect(CASE WHEN NOT hidden THEN key END)[..$most] AS came_keys
}
CALL (now, before) {
  MATCH (a:Account)-[e:MEMBER_OF]->(before)
  WHERE e.in_base IS NOT NULL AND NOT EXISTS { (a)-[m:MEMBER_OF]->(now) WHERE m.in_base IS NOT NULL }
  WITH a.key AS key, coalesce(a.opted_out, false) AS hidden
  ORDER BY key
  RETURN count(*) AS left, collect(CASE WHEN NOT hidden THEN key END)[..$most] AS left_keys
}
CALL (one, now) {
  UNWIND one.accounts AS key
  MATCH (a:Account {key: key})
  USING INDEX a:Account(key)
  WHERE NOT coalesce(a.opted_out, false)
  RETURN collect({
    key: a.key,
    here: head(COLLECT { MATCH (a)-[m:MEMBER_OF]->(now) WHERE m.in_base IS NOT NULL RETURN m {.type, .gate} }),
    own: head(COLLECT {
      MATCH (a)-[o:MEMBER_OF {primary: true}]->(c:Community)
      WHERE EXISTS { MATCH (c)<-[:FOUND]-(f:Run) WHERE f.id = $run }
      RETURN o {.rank, community: c.id}
    })
  }) AS accounts
}
RETURN one.id AS community, came, came_keys, left, left_keys, accounts
