// answers: Which roles do members of a community have, how many have each, and who is the best example?
// group: Communities
// parameter: community STRING id of the community
// example: community "cjqmnpx266o"
// column: role STRING name of the role: networker, broadcaster, heavy_user, opinion_leader, specialist, trend_discoverer or celebrity
// column: accounts INTEGER members that have it; one may have several
// column: share FLOAT share, 0 to 1, of the members in the base that these are: only they can have roles
// column: candidates INTEGER how many of them are ambassador candidates
// column: best STRING key of the one with the highest score; null where none of them may be named
// column: handle STRING its handle; null where unknown
// column: score FLOAT its score, 0 to 100
// mode: read
// index: current_id
// index: run_id
// cost: one look at each member of the community
MATCH (current:Current {id: 1})
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
MATCH (r)-[:FOUND]->(c:Community {level: 0, id: $community})
CALL (c) {
  MATCH (c)<-[m:MEMBER_OF {in_base: true}]-(:Account)
  RETURN count(*) AS base
}
MATCH (c)<-[m:MEMBER_OF {in_base: true}]-(a:Account)
UNWIND m.roles AS role
WITH base, role, m, a
ORDER BY coalesce(m.score, -1.0) DESC, a.key
WITH
  base, role, count(*) AS accounts, count(m.rank) AS candidates,
  collect(CASE WHEN NOT coalesce(a.opted_out, false) AND a.erasure_asked_at IS NULL THEN {a: a, score: m.score} END)[0] AS best
RETURN
  role, accounts, toFloat(accounts) / base AS share, candidates,
  best.a.key AS best, best.a.handle AS handle, best.score AS score
ORDER BY accounts DESC, role
