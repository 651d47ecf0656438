// answers: Who bridges two communities: followed from both, and following into both?
// group: Between communities
// parameter: here STRING id of one community
// parameter: there STRING id of the other
// parameter: most INTEGER how many accounts at most
// example: here "cjqmnpx266o"
// example: there "clzssbyh6jd"
// default: most 20
// column: account STRING key of the account, of either community, of a third or of none
// column: handle STRING its handle; null where unknown
// column: community STRING id of its own community; null where it is in none
// column: followers_here INTEGER members of the one that follow it
// column: follows_here INTEGER members of the one that it follows
// column: followers_there INTEGER members of the other that follow it
// column: follows_there INTEGER members of the other that it follows
// column: bridging FLOAT harmonic mean of the follows to and from either side, 2·h·t / (h + t): large only where both are many
// mode: read
// index: current_id
// index: run_id
// cost: the follows of and to the members of both communities
MATCH (current:Current {id: 1})
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
MATCH (r)-[:FOUND]->(h:Community {level: 0, id: $here})
MATCH (r)-[:FOUND]->(t:Community {level: 0, id: $there})
// Members have in_base, of communities that people defined, too; secondary memberships have not.
CALL (h, t) {
  MATCH (h)<-[m:MEMBER_OF]-(b)-[:FOLLOWS]->(a)
  WHERE m.in_base IS NOT NULL
  RETURN a, 1 AS from_here, 0 AS to_here, 0 AS from_there, 0 AS to_there
  UNION ALL
  MATCH (h)<-[m:MEMBER_OF]-(b)<-[:FOLLOWS]-(a)
  WHERE m.in_base IS NOT NULL
  RETURN a, 0 AS from_here, 1 AS to_here, 0 AS from_there, 0 AS to_there
  UNION ALL
  MATCH (t)<-[m:MEMBER_OF]-(b)-[:FOLLOWS]->(a)
  WHERE m.in_base IS NOT NULL
  RETURN a, 0 AS from_here, 0 AS to_here, 1 AS from_there, 0 AS to_there
  UNION ALL
  MATCH (t)<-[m:MEMBER_OF]-(b)<-[:FOLLOWS]-(a)
  WHERE m.in_base IS NOT NULL
  RETURN a, 0 AS from_here, 0 AS to_here, 0 AS from_there, 1 AS to_there
}
WITH
  r, a,
  sum(from_here) AS followers_here, sum(to_here) AS follows_here,
  sum(from_there) AS followers_there, sum(to_there) AS follows_there
WHERE
  followers_here > 0 AND follows_here > 0 AND followers_there > 0 AND follows_there > 0
  AND NOT coalesce(a.opted_out, false) AND a.erasure_asked_at IS NULL
WITH
  *, 2.0 * (followers_here + follows_here) * (followers_there + follows_there)
    / (followers_here + follows_here + followers_there + follows_there) AS bridging
ORDER BY bridging DESC, a.key
LIMIT $most
RETURN
  a.key AS account, a.handle AS handle,
  head(COLLECT {
    MATCH (a)-[:MEMBER_OF {primary: true}]->(own:Community) WHERE EXISTS { (own)<-[:FOUND]-(r) } RETURN own.id
  }) AS community,
  followers_here, follows_here, followers_there, follows_there, bridging
ORDER BY bridging DESC, account
