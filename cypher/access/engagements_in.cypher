// answers: Who interacted with an account, day by day?
// parameter: key STRING the account's key
// column: account STRING key of who acted
// column: target STRING key of whom it was about
// column: day DATE day in UTC
// column: likes INTEGER likes
// column: replies INTEGER replies
// column: mentions INTEGER mentions
// column: reposts INTEGER reposts
// column: hours LIST<INTEGER> how many in each hour of the day
// column: events LIST<INTEGER> marks of single events among them
// column: said LIST<INTEGER> nothing: counts have no time but their day
// mode: read
// index: account_key
MATCH (a:Account {key: $key})<-[e:ENGAGED]-(b:Account)
RETURN
  b.key AS account, a.key AS target, e.day AS day, e.likes AS likes, e.replies AS replies, e.mentions AS mentions,
  e.reposts AS reposts, e.hours AS hours, e.events AS events, null AS said
