// answers: Which accounts outside a community are most followed from inside it?
// group: Between communities
// parameter: community STRING id of the community
// parameter: most INTEGER how many accounts at most
// example: community "cjqmnpx266o"
// default: most 20
// column: account STRING key of the account
// column: handle STRING its handle; null where unknown
// column: own_community STRING id of its own community; null where it is in none
// column: members INTEGER members of the community that follow it
// column: share FLOAT share, 0 to 1, of the members of the community that these are
// column: followers INTEGER accounts of the whole graph that follow it
// column: share_of_followers FLOAT share, 0 to 1, of its followers that are members of the community
// mode: read
// index: current_id
// index: run_id
// cost: the follows of the members of the community
MATCH (current:Current {id: 1})
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
MATCH (r)-[:FOUND]->(c:Community {level: 0, id: $community})
// Members have in_base, of communities that people defined, too; secondary memberships have not.
CALL (c) {
  MATCH (c)<-[m:MEMBER_OF]-(:Account)
  WHERE m.in_base IS NOT NULL
  RETURN count(*) AS size
}
MATCH (c)<-[m:MEMBER_OF]-(:Account)-[:FOLLOWS]->(a:Account)
WHERE m.in_base IS NOT NULL
WITH r, c, size, a, count(*) AS members
WHERE NOT coalesce(a.opted_out, false) AND a.erasure_asked_at IS NULL AND NOT EXISTS { MATCH (a)-[o:MEMBER_OF]->(c) WHERE o.in_base IS NOT NULL }
WITH r, size, a, members
ORDER BY members DESC, a.key
LIMIT $most
WITH *, COUNT { (a)<-[:FOLLOWS]-() } AS followers
RETURN
  a.key AS account, a.handle AS handle,
  head(COLLECT {
    MATCH (a)-[:MEMBER_OF {primary: true}]->(own:Community) WHERE EXISTS { (own)<-[:FOUND]-(r) } RETURN own.id
  }) AS own_community,
  members, toFloat(members) / size AS share, followers, toFloat(members) / followers AS share_of_followers
ORDER BY members DESC, account
