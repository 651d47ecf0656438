// answers: Who is the inner circle of a community: members with most mutual follows inside?
// group: Communities
// parameter: community STRING id of the community
// parameter: least INTEGER of how many mutual follows inside at least
// parameter: most INTEGER how many accounts at most
// example: community "cjqmnpx266o"
// default: least 5
// default: most 20
// column: account STRING key of the member
// column: handle STRING its handle; null where unknown
// column: mutual INTEGER members that follow it and that it follows
// column: share FLOAT share, 0 to 1, of all other members that these are
// column: followers_inside INTEGER members that follow it
// column: follows_inside INTEGER members that it follows
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
MATCH (c)<-[m:MEMBER_OF]-(a:Account)-[:FOLLOWS]->(b:Account)
WHERE m.in_base IS NOT NULL AND EXISTS { MATCH (b)-[o:MEMBER_OF]->(c) WHERE o.in_base IS NOT NULL }
WITH c, size, a, count(*) AS follows_inside, count(CASE WHEN EXISTS { (b)-[:FOLLOWS]->(a) } THEN 1 END) AS mutual
WHERE mutual >= $least AND NOT coalesce(a.opted_out, false) AND a.erasure_asked_at IS NULL
WITH c, size, a, follows_inside, mutual
ORDER BY mutual DESC, a.key
LIMIT $most
RETURN
  a.key AS account, a.handle AS handle, mutual, toFloat(mutual) / (size - 1) AS share,
  COUNT {
    MATCH (a)<-[:FOLLOWS]-(b:Account)-[o:MEMBER_OF]->(c) WHERE o.in_base IS NOT NULL
  } AS followers_inside,
  follows_inside
ORDER BY mutual DESC, account
