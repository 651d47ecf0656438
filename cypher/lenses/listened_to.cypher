// answers: Whom does an account follow, or with whom did it engage in a window, and what did it do with each of them?
// parameter: key STRING the account's key
// parameter: first DATE the first day that counts
// parameter: last DATE the last day that counts
// column: account STRING key of whom it follows or engaged with
// column: handle STRING handle of the same, null where unknown
// column: follow FLOAT weight of the follow; null without one
// column: days LIST<LIST> of each day with interactions: days before `last`, likes, replies, mentions, reposts
// mode: read
// index: account_key
MATCH (a:Account {key: $key})
USING INDEX a:Account(key)
CALL (a) {
  MATCH (a)-[f:FOLLOWS]->(j:Account)
  RETURN j, coalesce(f.weight, 1.0) AS follow, null AS day
  UNION ALL
  MATCH (a)-[e:ENGAGED]->(j:Account)
  WHERE e.day >= $first AND e.day <= $last
  RETURN j, null AS follow, [
    duration.inDays(e.day, $last).days,
    coalesce(e.likes, 0),
    coalesce(e.replies, 0),
    coalesce(e.mentions, 0),
    coalesce(e.reposts, 0)
  ] AS day
}
WITH a, j, max(follow) AS follow, collect(day) AS days
WHERE j <> a
RETURN j.key AS account, j.handle AS handle, follow, days
ORDER BY account
