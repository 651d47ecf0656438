// answers: Who is around an account, and how are they tied to it and to each other?
// group: Accounts
// parameter: key STRING the account's key
// example: key "sample:u000237"
// parameter: days INTEGER interactions of the last so many days up to the end of the data
// default: days 90
// parameter: most INTEGER how many neighbours at most, the strongest first
// default: most 25
// column: source STRING key of who follows or engages: the account itself, or a neighbour
// column: source_handle STRING handle of the same, null where unknown
// column: source_community STRING id of its community, null where it is in none
// column: target STRING key of who is followed or engaged with: likewise
// column: target_handle STRING handle of the same, null where unknown
// column: target_community STRING id of its community, null where it is in none
// column: follows BOOLEAN whether the source follows the target
// column: strength INTEGER what the source did with the target: a like counts 1, a repost 2, a reply or a mention 3
// mode: read
// index: account_key
// index: run_id
// cost: one look at each follow and each day of interactions of the account, and of those between its neighbours
MATCH (a:Account {key: $key})
USING INDEX a:Account(key)
WHERE NOT (coalesce(a.opted_out, false) OR a.erasure_asked_at IS NOT NULL)
MATCH (current:Current)
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
WITH a, r, date(r.as_of) AS today
CALL (a, today) {
  MATCH (a)-[f:FOLLOWS|ENGAGED]-(b:Account)
  WHERE b <> a AND NOT (coalesce(b.opted_out, false) OR b.erasure_asked_at IS NOT NULL)
  WITH today, b, f, f.day AS day
  WHERE day IS NULL OR (day > today - duration({days: $days}) AND day <= today)
  WITH
    b, count(CASE WHEN day IS NULL THEN 1 END) AS follows,
    sum(
      coalesce(f.likes, 0) + 2 * coalesce(f.reposts, 0) + 3 * (coalesce(f.replies, 0) + coalesce(f.mentions, 0))
    ) AS strength
  ORDER BY strength DESC, follows DESC, b.key
  LIMIT $most
  RETURN collect(b) AS neighbours
}
WITH r, today, [a] + neighbours AS around
// Pair by pair: a neighbour may follow very many others.
UNWIND around AS s
UNWIND around AS t
WITH r, today, s, t WHERE t <> s
MATCH (s)-[f:FOLLOWS|ENGAGED]->(t)
WITH r, today, s, t, f, f.day AS day
WHERE day IS NULL OR (day > today - duration({days: $days}) AND day <= today)
WITH
  r, s, t, count(CASE WHEN day IS NULL THEN 1 END) > 0 AS follows,
  sum(
    coalesce(f.likes, 0) + 2 * coalesce(f.reposts, 0) + 3 * (coalesce(f.replies, 0) + coalesce(f.mentions, 0))
  ) AS strength
RETURN
  s.key AS source, s.handle AS source_handle,
  head(COLLECT {
    MATCH (s)-[:MEMBER_OF {primary: true}]->(c:Community {level: 0}) WHERE EXISTS { (c)<-[:FOUND]-(r) } RETURN c.id
  }) AS source_community,
  t.key AS target, t.handle AS target_handle,
  head(COLLECT {
    MATCH (t)-[:MEMBER_OF {primary: true}]->(c:Community {level: 0}) WHERE EXISTS { (c)<-[:FOUND]-(r) } RETURN c.id
  }) AS target_community,
  follows, strength
ORDER BY source, target
