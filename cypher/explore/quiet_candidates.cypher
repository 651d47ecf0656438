// answers: Which candidates of respectable communities went quiet, and what did they do last?
// group: Candidates
// parameter: days INTEGER quiet for at least so many days before the end of the data
// default: days 14
// parameter: most INTEGER how many at most
// default: most 20
// column: account STRING key of the candidate
// column: handle STRING handle of the same, null where unknown
// column: community STRING id of its community
// column: rank INTEGER place among the candidates of the community
// column: last DATE the last day (UTC) on which it was seen to do something
// column: days INTEGER how many days before the last day of the data that is
// column: did LIST<STRING> what it did on that day: post, or interaction (a response to a post is one, too)
// mode: read
// index: run_id
// cost: one look at each post and each day of interactions of each candidate
MATCH (current:Current)
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
WITH r, date(r.as_of) AS today
MATCH (r)-[:FOUND]->(c:Community {level: 0})
WHERE c.respectable
MATCH (a:Account)-[m:MEMBER_OF {primary: true}]->(c)
WHERE m.rank IS NOT NULL AND NOT (coalesce(a.opted_out, false) OR a.erasure_asked_at IS NOT NULL)
// Days are asked for after WITH, so that it starts from each account, and not from all days by their index.
CALL (a, today) {
  MATCH (a)-[:POSTED]->(p:Post)
  WITH today, date(p.at) AS day
  WHERE day <= today
  RETURN 'post' AS did, max(day) AS day
  UNION ALL
  MATCH (a)-[e:ENGAGED]->(o)
  WITH today, a, o, e, e.day AS day
  WHERE
    day <= today AND o <> a
    AND coalesce(e.likes, 0) + coalesce(e.replies, 0) + coalesce(e.mentions, 0) + coalesce(e.reposts, 0) > 0
  RETURN 'interaction' AS did, max(day) AS day
  UNION ALL
  MATCH (a)-[s:RESPONDED]->(:Post)
  WITH today, date(s.at) AS day
  WHERE day <= today
  RETURN 'interaction' AS did, max(day) AS day
}
WITH a, m, c, today, did, day ORDER BY did
WITH a, m, c, today, max(day) AS last, collect({did: did, day: day}) AS acts
WITH a, m, c, last, acts, duration.inDays(last, today).days AS days
WHERE days >= $days
WITH a, m, c, last, acts, days ORDER BY days DESC, a.key LIMIT $most
UNWIND acts AS act
WITH a, m, c, last, days, act
WHERE act.day = last
RETURN
  a.key AS account, a.handle AS handle, c.id AS community, m.rank AS rank, last, days, collect(DISTINCT act.did) AS did
ORDER BY days DESC, account
