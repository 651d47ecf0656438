// answers: Which followers do two accounts share, and how alike are their followers altogether?
// group: Accounts
// parameter: one STRING key of an account
// example: one "sample:u000088"
// parameter: other STRING key of another account
// example: other "sample:u000131"
// parameter: most INTEGER how many followers at most
// default: most 20
// column: of_one INTEGER followers of the one, the other not counted
// column: of_other INTEGER followers of the other, the one not counted
// column: common INTEGER accounts that follow both
// column: jaccard FLOAT these as a share of all who follow either; null where nobody does
// column: account STRING key of an account that follows both; null where there is none that may be named
// column: handle STRING handle of the same, null where unknown
// column: community STRING id of its community, null where it is in none
// column: followers INTEGER accounts that follow it in the graph
// mode: read
// index: account_key
// index: run_id
// cost: one look at each follower of the two
MATCH (a:Account {key: $one})
USING INDEX a:Account(key)
MATCH (b:Account {key: $other})
USING INDEX b:Account(key)
WHERE a <> b AND NOT (coalesce(a.opted_out, false) OR a.erasure_asked_at IS NOT NULL) AND NOT (coalesce(b.opted_out, false) OR b.erasure_asked_at IS NOT NULL)
MATCH (current:Current)
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
CALL (a, b) {
  UNWIND [a, b] AS followed
  MATCH (followed)<-[:FOLLOWS]-(j:Account)
  WHERE j <> a AND j <> b
  WITH j, collect(followed = a) AS which
  RETURN
    count(CASE WHEN true IN which THEN 1 END) AS of_one,
    count(CASE WHEN false IN which THEN 1 END) AS of_other,
    collect(CASE WHEN size(which) = 2 THEN j END) AS shared
}
CALL (shared) {
  UNWIND shared AS j
  WITH j, COUNT { (j)<-[:FOLLOWS]-() } AS followers
  WHERE NOT (coalesce(j.opted_out, false) OR j.erasure_asked_at IS NOT NULL)
  WITH j, followers ORDER BY followers DESC, j.key LIMIT $most
  RETURN collect({account: j, followers: followers}) AS shown
}
UNWIND CASE WHEN shown = [] THEN [{}] ELSE shown END AS one
WITH r, of_one, of_other, size(shared) AS common, one.account AS j, one.followers AS followers
RETURN
  of_one, of_other, common,
  CASE WHEN of_one + of_other > 0 THEN toFloat(common) / (of_one + of_other - common) END AS jaccard,
  j.key AS account, j.handle AS handle,
  head(COLLECT {
    MATCH (j)-[:MEMBER_OF {primary: true}]->(c:Community {level: 0})
    WHERE EXISTS { (c)<-[:FOUND]-(r) }
    RETURN c.id
  }) AS community,
  followers
ORDER BY followers DESC, account
