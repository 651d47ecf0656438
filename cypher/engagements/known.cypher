// answers: What is counted of the interactions of these pairs on these days?
// parameter: account LIST<STRING> keys of who acted
// parameter: target LIST<STRING> keys of whom it was about
// parameter: day LIST<DATE> days in UTC
// column: i INTEGER position in the lists
// column: likes INTEGER likes
// column: replies INTEGER replies
// column: mentions INTEGER mentions
// column: reposts INTEGER reposts
// column: hours LIST<INTEGER> how many in each hour of the day
// column: events LIST<INTEGER> marks of single events among them
// column: said LIST<INTEGER> nothing: counts have no time but their day
// mode: read
// index: account_key
UNWIND range(0, size($account) - 1) AS i
MATCH (a:Account {key: $account[i]})
USING INDEX a:Account(key)
MATCH (b:Account {key: $target[i]})
USING INDEX b:Account(key)
MATCH (a)-[e:ENGAGED]->(b)
WHERE e.day = $day[i]
RETURN
  i, e.likes AS likes, e.replies AS replies, e.mentions AS mentions, e.reposts AS reposts,
  e.hours AS hours, e.events AS events, null AS said
