// answers: How far do two brands reach the same people, and who follows only one of them?
// group: Brands
// parameter: brand STRING the brand's key
// example: brand "nordlys"
// parameter: other STRING key of the brand beside it
// example: other "velora"
// parameter: most INTEGER how many accounts of each kind at most
// default: most 10
// column: follows STRING both, only the brand's key, or only the other's: whose own accounts are followed
// column: accounts INTEGER how many accounts do that, own accounts of the two not counted
// column: share FLOAT these as a share of all who follow any own account of either
// column: account STRING key of one of them, those with most followers first; null where none may be named
// column: handle STRING handle of the same, null where unknown
// column: community STRING id of its community, null where it is in none
// column: followers INTEGER accounts that follow it in the graph
// column: customer LIST<STRING> keys of those of the two brands whose customer or user it is at the end of the data
// mode: read
// index: brand_key
// index: run_id
// cost: one look at each follower of the own accounts of both brands
MATCH (current:Current)
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
MATCH (b:Brand {key: $brand})
USING INDEX b:Brand(key)
MATCH (o:Brand {key: $other})
USING INDEX o:Brand(key)
WHERE b <> o
WITH
  r, b, o,
  COLLECT { MATCH (own:Account)-[:ACCOUNT_OF]->(b) RETURN own }
    + COLLECT { MATCH (own:Account)-[:ACCOUNT_OF]->(o) RETURN own } AS owners
CALL (b, o, owners) {
  UNWIND [b, o] AS one
  MATCH (own:Account)-[:ACCOUNT_OF]->(one)
  MATCH (own)<-[:FOLLOWS]-(j:Account)
  WHERE NOT j IN owners
  WITH j, collect(DISTINCT one.key) AS followed
  RETURN collect({account: j, follows: CASE size(followed) WHEN 2 THEN 'both' ELSE followed[0] END}) AS audience
}
UNWIND ['both', b.key, o.key] AS follows
WITH r, b, o, size(audience) AS everybody, follows, [one IN audience WHERE one.follows = follows | one.account] AS these
CALL (these) {
  UNWIND these AS j
  WITH j, COUNT { (j)<-[:FOLLOWS]-() } AS followers
  WHERE NOT (coalesce(j.opted_out, false) OR j.erasure_asked_at IS NOT NULL)
  WITH j, followers ORDER BY followers DESC, j.key LIMIT $most
  RETURN collect({account: j, followers: followers}) AS shown
}
UNWIND CASE WHEN shown = [] THEN [{}] ELSE shown END AS one
WITH r, b, o, everybody, follows, size(these) AS accounts, one.account AS j, one.followers AS followers
RETURN
  follows, accounts, CASE WHEN everybody > 0 THEN toFloat(accounts) / everybody END AS share,
  j.key AS account, j.handle AS handle,
  head(COLLECT {
    MATCH (j)-[:MEMBER_OF {primary: true}]->(c:Community {level: 0})
    WHERE EXISTS { (c)<-[:FOUND]-(r) }
    RETURN c.id
  }) AS community,
  followers,
  COLLECT {
    MATCH (j)-[w:CUSTOMER_OF|USES]->(one:Brand)
    WHERE (one = b OR one = o) AND coalesce(w.since <= r.as_of, true) AND coalesce(w.until > r.as_of, true)
    RETURN DISTINCT one.key AS key ORDER BY key
  } AS customer
ORDER BY follows <> 'both', follows <> $brand, followers DESC, account
