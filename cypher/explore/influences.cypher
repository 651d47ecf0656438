// answers: Which listeners does an account move most, by what they do with it?
// group: Accounts
// parameter: key STRING the account's key
// example: key "sample:u000237"
// parameter: days INTEGER in the last so many days up to the end of the data
// default: days 90
// parameter: most INTEGER how many at most
// default: most 20
// column: account STRING key of the listener
// column: handle STRING handle of the same, null where unknown
// column: community STRING id of its community, null where it is in none
// column: strength INTEGER a like counts 1, a repost 2, a reply or a mention 3
// column: share FLOAT these as a share of what all listeners did with the account
// column: share_of_listener FLOAT these as a share of what the listener did with anybody
// column: follows BOOLEAN whether the listener follows the account
// mode: read
// index: account_key
// index: run_id
// cost: one look at each day of interactions with the account, and of those who are shown with anybody
MATCH (a:Account {key: $key})
USING INDEX a:Account(key)
WHERE NOT (coalesce(a.opted_out, false) OR a.erasure_asked_at IS NOT NULL)
MATCH (current:Current)
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
WITH a, r, date(r.as_of) AS today
MATCH (a)<-[e:ENGAGED]-(j:Account)
WHERE j <> a
// Days are asked for after WITH, so that it starts from the account, and not from all days by their index.
WITH a, r, today, j, e, e.day AS day
WHERE day > today - duration({days: $days}) AND day <= today
WITH
  a, r, today, j,
  sum(
    coalesce(e.likes, 0) + 2 * coalesce(e.reposts, 0) + 3 * (coalesce(e.replies, 0) + coalesce(e.mentions, 0))
  ) AS strength
WITH a, r, today, sum(strength) AS everything, collect({account: j, strength: strength}) AS listeners
UNWIND listeners AS one
WITH a, r, today, everything, one.account AS j, one.strength AS strength
WHERE strength > 0 AND NOT (coalesce(j.opted_out, false) OR j.erasure_asked_at IS NOT NULL)
WITH a, r, today, everything, j, strength ORDER BY strength DESC, j.key LIMIT $most
CALL (j, today) {
  MATCH (j)-[e:ENGAGED]->(o)
  WITH today, e, e.day AS day, o <> j AS other
  WHERE other AND day > today - duration({days: $days}) AND day <= today
  RETURN
    sum(
      coalesce(e.likes, 0) + 2 * coalesce(e.reposts, 0) + 3 * (coalesce(e.replies, 0) + coalesce(e.mentions, 0))
    ) AS done
}
RETURN
  j.key AS account, j.handle AS handle,
  head(COLLECT {
    MATCH (j)-[:MEMBER_OF {primary: true}]->(c:Community {level: 0})
    WHERE EXISTS { (c)<-[:FOUND]-(r) }
    RETURN c.id
  }) AS community,
  strength, toFloat(strength) / everything AS share, toFloat(strength) / done AS share_of_listener,
  EXISTS { (j)-[:FOLLOWS]->(a) } AS follows
ORDER BY strength DESC, account
