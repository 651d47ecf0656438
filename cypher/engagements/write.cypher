// answers: Writes counts of interactions. The lists are parallel: one pair and day a position.
// parameter: account LIST<STRING> keys of who acted
// parameter: target LIST<STRING> keys of whom it was about
// parameter: day LIST<DATE> days in UTC
// parameter: likes LIST<INTEGER> likes
// parameter: replies LIST<INTEGER> replies
// parameter: mentions LIST<INTEGER> mentions
// parameter: reposts LIST<INTEGER> reposts
// parameter: hours LIST<LIST> 24 counts each
// parameter: events LIST<LIST> marks of single events
// parameter: v INTEGER graph version of this change
// mode: write
// index: account_key
UNWIND range(0, size($account) - 1) AS i
MATCH (a:Account {key: $account[i]})
USING INDEX a:Account(key)
MATCH (b:Account {key: $target[i]})
USING INDEX b:Account(key)
MERGE (a)-[e:ENGAGED {day: $day[i]}]->(b)
SET
  e.likes = $likes[i], e.replies = $replies[i], e.mentions = $mentions[i], e.reposts = $reposts[i],
  e.hours = $hours[i], e.events = $events[i], e.v = $v
