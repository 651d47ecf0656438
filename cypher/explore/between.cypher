// answers: Which members are not sure to be in their community, or belong to others as well, and where else do they belong?
// group: Between communities
// parameter: community STRING id of their own community; empty for all communities
// parameter: below FLOAT confidence below which a member is not sure, 0 to 1
// parameter: most INTEGER how many accounts at most, the least sure first
// default: community ""
// default: below 0.7
// default: most 20
// column: account STRING key of the member; it has one line for each other community, or one without
// column: handle STRING its handle; null where unknown
// column: community STRING id of its own community
// column: confidence FLOAT chance, 0 to 1, to be in it under another seed; null where unknown
// column: share FLOAT share, 0 to 1, of the weight of its ties that is to its own community
// column: elsewhere STRING id of another community that it belongs to; null where its ties are too few to belong anywhere else
// column: share_elsewhere FLOAT share, 0 to 1, of the weight of its ties that is to that one
// mode: read
// index: current_id
// index: run_id
// cost: one look at each membership of the communities
MATCH (current:Current {id: 1})
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
MATCH (r)-[:FOUND]->(c:Community {level: 0, kind: 'found'})
WHERE $community IN ['', c.id]
MATCH (c)<-[m:MEMBER_OF {primary: true}]-(a:Account)
WHERE NOT coalesce(a.opted_out, false) AND a.erasure_asked_at IS NULL
WITH r, c, m, a, COLLECT {
  MATCH (a)-[s:MEMBER_OF {primary: false}]->(o:Community {kind: 'found'})
  WHERE EXISTS { (o)<-[:FOUND]-(r) }
  RETURN {id: o.id, share: s.share}
} AS others
WHERE m.confidence < $below OR size(others) > 0
WITH c, m, a, others
ORDER BY m.confidence, m.share, a.key
LIMIT $most
UNWIND CASE others WHEN [] THEN [null] ELSE others END AS other
RETURN
  a.key AS account, a.handle AS handle, c.id AS community, m.confidence AS confidence, m.share AS share,
  other.id AS elsewhere, other.share AS share_elsewhere
ORDER BY confidence, share, account, share_elsewhere DESC, elsewhere
