// answers: Which groups of communities belong together, level by level, and how many accounts are in no community?
// group: Communities
// parameter: least INTEGER of how many accounts groups are at least
// default: least 10
// column: level INTEGER 1 for groups of communities, 2 for groups of these, and so on; null for the line of accounts in no community
// column: id STRING id of the group; null likewise
// column: part_of STRING id of the group of the next level that holds it; null at the last level
// column: communities LIST<STRING> ids of the communities in it, in order
// column: accounts INTEGER accounts in it; in no community also those that came after the run
// column: share FLOAT share, 0 to 1, of all accounts of the graph that these are
// mode: read
// index: current_id
// index: run_id
// cost: one look at each account and at each community
MATCH (current:Current {id: 1})
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
CALL () {
  MATCH (a:Account)
  RETURN count(a) AS every
}
CALL (r, every) {
  MATCH (r)-[:FOUND]->(g:Community)
  WHERE g.level > 0 AND g.size >= $least
  WITH g, COLLECT {
    MATCH (g)<-[:PART_OF*1..]-(c:Community {level: 0}) RETURN c.id ORDER BY c.id
  } AS communities
  RETURN
    g.level AS level, g.id AS id, head(COLLECT { MATCH (g)-[:PART_OF]->(whole:Community) RETURN whole.id }) AS part_of,
    communities, g.size AS accounts
  UNION ALL
  RETURN
    null AS level, null AS id, null AS part_of, [] AS communities,
    every - COUNT {
      MATCH (r)-[:FOUND]->(:Community {level: 0, kind: 'found'})<-[:MEMBER_OF {primary: true}]-(:Account)
    } AS accounts
}
RETURN level, id, part_of, communities, accounts, toFloat(accounts) / every AS share
ORDER BY level, accounts DESC, id
