// answers: Who responds most to an account, and does it answer them?
// group: Accounts
// parameter: key STRING the account's key
// example: key "sample:u000237"
// parameter: days INTEGER in the last so many days up to the end of the data
// default: days 90
// parameter: most INTEGER how many at most
// default: most 20
// column: account STRING key of who responds
// column: handle STRING handle of the same, null where unknown
// column: responses INTEGER likes, replies, mentions and reposts together
// column: likes INTEGER how often it liked
// column: replies INTEGER how often it replied
// column: mentions INTEGER how often it mentioned the account
// column: reposts INTEGER how often it passed something on
// column: days INTEGER on how many different days
// column: last DATE the last of these
// column: follows BOOLEAN whether it follows the account
// column: answers INTEGER what the account did with it in the same days: likes, replies, mentions and reposts together
// mode: read
// index: account_key
// index: run_id
// cost: one look at each day of interactions with the account
MATCH (a:Account {key: $key})
USING INDEX a:Account(key)
WHERE NOT (coalesce(a.opted_out, false) OR a.erasure_asked_at IS NOT NULL)
MATCH (current:Current)
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
WITH a, date(r.as_of) AS today
MATCH (a)<-[e:ENGAGED]-(j:Account)
WHERE j <> a AND NOT (coalesce(j.opted_out, false) OR j.erasure_asked_at IS NOT NULL)
// Days are asked for after WITH, so that it starts from the account, and not from all days by their index.
WITH
  a, today, j, e.day AS day, coalesce(e.likes, 0) AS likes, coalesce(e.replies, 0) AS replies,
  coalesce(e.mentions, 0) AS mentions, coalesce(e.reposts, 0) AS reposts
WHERE day > today - duration({days: $days}) AND day <= today AND likes + replies + mentions + reposts > 0
WITH
  a, today, j, sum(likes) AS likes, sum(replies) AS replies, sum(mentions) AS mentions, sum(reposts) AS reposts,
  count(DISTINCT day) AS days, max(day) AS last
WITH a, today, j, likes, replies, mentions, reposts, days, last, likes + replies + mentions + reposts AS responses
ORDER BY responses DESC, days DESC, j.key LIMIT $most
CALL (a, j, today) {
  OPTIONAL MATCH (a)-[e:ENGAGED]->(j)
  WITH today, e, e.day AS day
  WHERE day > today - duration({days: $days}) AND day <= today
  RETURN
    sum(coalesce(e.likes, 0) + coalesce(e.replies, 0) + coalesce(e.mentions, 0) + coalesce(e.reposts, 0)) AS answers
}
RETURN
  j.key AS account, j.handle AS handle, responses, likes, replies, mentions, reposts, days, last,
  EXISTS { (j)-[:FOLLOWS]->(a) } AS follows, answers
ORDER BY responses DESC, days DESC, account
