// answers: Why is this account a candidate in its community?
// group: Candidates
// parameter: key STRING the account's key
// example: key "sample:u000237"
// column: community STRING id of its community in the run that is served
// column: compared INTEGER accounts of the community that are compared: its base
// column: rank INTEGER place among the candidates of the community
// column: rank_low INTEGER best place of the interval of the rank
// column: rank_high INTEGER worst place of it
// column: score FLOAT 0 to 100: the points of all parts together
// column: part STRING a part of the score
// column: raw FLOAT raw value of the part; null where it is not known
// column: median FLOAT median of the raw values in the base
// column: x FLOAT 0 to 1: how few of the base are ahead in the part
// column: points FLOAT what the part gives to the score
// column: below STRING key of the candidate just below; null for the last one
// column: below_points FLOAT what the part gives to that one
// column: below_by FLOAT how much less that one's score is
// mode: read
// index: account_key
// index: run_id
// cost: one look at each member of the account's community
MATCH (a:Account {key: $key})
USING INDEX a:Account(key)
WHERE NOT (coalesce(a.opted_out, false) OR a.erasure_asked_at IS NOT NULL)
MATCH (current:Current)
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
MATCH (a)-[m:MEMBER_OF {primary: true}]->(c:Community {level: 0})
WHERE m.rank IS NOT NULL AND EXISTS { (c)<-[:FOUND]-(r) }
CALL (m, c) {
  OPTIONAL MATCH (b:Account)-[n:MEMBER_OF {primary: true}]->(c)
  WHERE n.rank > m.rank AND NOT (coalesce(b.opted_out, false) OR b.erasure_asked_at IS NOT NULL)
  RETURN b, n ORDER BY n.rank LIMIT 1
}
CALL (c) {
  MATCH (:Account)-[n:MEMBER_OF {primary: true}]->(c)
  WHERE n.in_base
  UNWIND ['authority', 'reach', 'resonance', 'trust', 'relevance'] AS part
  RETURN part, count(*) AS compared, percentileCont(n[part], 0.5) AS median
}
RETURN
  c.id AS community, compared, m.rank AS rank, m.rank_low AS rank_low, m.rank_high AS rank_high, m.score AS score,
  part, m[part] AS raw, median, m[part + '_x'] AS x, m[part + '_points'] AS points,
  b.key AS below, n[part + '_points'] AS below_points, round(m.score - n.score, 6) AS below_by
ORDER BY coalesce(points, -1.0) DESC, part
