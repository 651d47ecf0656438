// answers: Who are the first candidates of each respectable community, and what are they strongest in?
// group: Candidates
// parameter: each INTEGER up to which rank in each community
// default: each 3
// column: community STRING id of the community; scores compare within it only
// column: topics LIST<STRING> what it writes and shares about more than others do
// column: size INTEGER its members
// column: rank INTEGER place among its candidates
// column: rank_low INTEGER best place of the interval of the rank
// column: rank_high INTEGER worst place of it
// column: account STRING key of the candidate
// column: handle STRING handle of the same, null where unknown
// column: score FLOAT 0 to 100
// column: roles LIST<STRING> roles of the candidate
// column: strongest STRING the part in which fewest of the base are ahead; null where no part is known
// column: strongest_x FLOAT 0 to 1: how few
// mode: read
// index: run_id
// index: member_of_rank
// cost: one look at each candidate of any kept run up to that rank
MATCH (current:Current)
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
MATCH (r)-[:FOUND]->(c:Community {level: 0})
WHERE c.respectable
MATCH (a:Account)-[m:MEMBER_OF {primary: true}]->(c)
WHERE m.rank <= $each AND NOT (coalesce(a.opted_out, false) OR a.erasure_asked_at IS NOT NULL)
CALL (m) {
  UNWIND ['authority', 'reach', 'resonance', 'trust', 'relevance'] AS part
  WITH part, m[part + '_x'] AS x
  WHERE x IS NOT NULL
  WITH part, x ORDER BY x DESC, part LIMIT 1
  RETURN collect({part: part, x: x})[0] AS strongest
}
RETURN
  c.id AS community, coalesce(c.topics, []) AS topics, c.size AS size,
  m.rank AS rank, m.rank_low AS rank_low, m.rank_high AS rank_high,
  a.key AS account, a.handle AS handle, m.score AS score, coalesce(m.roles, []) AS roles,
  strongest.part AS strongest, strongest.x AS strongest_x
ORDER BY size DESC, community, rank
