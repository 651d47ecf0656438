// answers: Whom do gates keep out of the base of their community, by gate?
// group: Communities
// parameter: community STRING id of the community; empty for all communities
// parameter: some INTEGER how many accounts to name of each gate and community at most
// default: community ""
// default: some 3
// column: community STRING id of the community
// column: size INTEGER its members
// column: gate STRING what keeps them out: opted_out, brand_account, suspicious or inactive; by the first, where several do
// column: accounts INTEGER members that it keeps out
// column: share FLOAT share, 0 to 1, of the members that these are
// column: names LIST<STRING> keys of some of them, in order; who opted out or is to be erased is counted and never named
// mode: read
// index: current_id
// index: run_id
// cost: one look at each member of the communities
MATCH (current:Current {id: 1})
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
MATCH (r)-[:FOUND]->(c:Community {level: 0, kind: 'found'})
WHERE $community IN ['', c.id]
MATCH (c)<-[m:MEMBER_OF {primary: true}]-(a:Account)
WITH c, m, a
ORDER BY a.key
WITH
  c, m.gate AS gate, count(*) AS accounts,
  collect(CASE WHEN NOT coalesce(a.opted_out, false) AND a.erasure_asked_at IS NULL THEN a.key END)[..$some] AS names
// Those whom no gate keeps out are counted for the size.
WITH c, collect({gate: gate, accounts: accounts, names: names}) AS parts, sum(accounts) AS size
UNWIND parts AS part
WITH c, size, part
WHERE part.gate IS NOT NULL
RETURN
  c.id AS community, size, part.gate AS gate, part.accounts AS accounts, toFloat(part.accounts) / size AS share,
  part.names AS names
ORDER BY size DESC, community, accounts DESC, gate
