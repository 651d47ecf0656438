// answers: Which candidates of a community do lenses place otherwise than the score does?
// group: Candidates
// parameter: community STRING id of the community
// example: community "cjqmnpx266o"
// parameter: most INTEGER how many candidates at most
// default: most 20
// column: rank INTEGER place among the candidates by score
// column: candidates INTEGER how many there are
// column: account STRING key of the candidate
// column: handle STRING handle of the same, null where unknown
// column: score FLOAT 0 to 100
// column: social_capital FLOAT what the lens says, on a scale of its own; null where it has no value. Likewise the others
// column: standing FLOAT likewise
// column: authority FLOAT likewise; not the part of the score that is called so
// column: market FLOAT likewise
// column: audience FLOAT likewise
// column: profile FLOAT likewise
// column: context FLOAT likewise
// column: best_lens STRING the lens by which fewest candidates of the community are ahead
// column: best_place INTEGER the place by it; who has the same value has the same place
// column: worst_lens STRING the lens by which most are ahead
// column: worst_place INTEGER the place by it
// mode: read
// index: run_id
// cost: for each candidate shown, each lens of each candidate of the community
MATCH (current:Current)
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
MATCH (r)-[:FOUND]->(c:Community {level: 0})
WHERE c.id = $community
MATCH (a:Account)-[m:MEMBER_OF {primary: true}]->(c)
WHERE m.rank IS NOT NULL
// From member to run, and not from the run to all accounts.
WITH a, m, r
MATCH (a)-[s:SCORED]->(r)
WITH collect({account: a, membership: m, scored: s}) AS candidates
UNWIND candidates AS one
WITH candidates, one, one.account AS a, one.membership AS m, one.scored AS s
WHERE NOT (coalesce(a.opted_out, false) OR a.erasure_asked_at IS NOT NULL)
WITH candidates, a, m, s ORDER BY m.rank LIMIT $most
CALL (candidates, s) {
  UNWIND ['social_capital', 'standing', 'authority', 'market', 'audience', 'profile', 'context'] AS lens
  WITH candidates, lens, s[lens] AS value
  WHERE value IS NOT NULL
  WITH lens, 1 + size([other IN candidates WHERE other.scored[lens] > value]) AS place
  ORDER BY place, lens
  RETURN collect({lens: lens, place: place}) AS places
}
RETURN
  m.rank AS rank, size(candidates) AS candidates, a.key AS account, a.handle AS handle, m.score AS score,
  s.social_capital AS social_capital, s.standing AS standing, s.authority AS authority, s.market AS market,
  s.audience AS audience, s.profile AS profile, s.context AS context,
  places[0].lens AS best_lens, places[0].place AS best_place,
  places[-1].lens AS worst_lens, places[-1].place AS worst_place
ORDER BY rank
