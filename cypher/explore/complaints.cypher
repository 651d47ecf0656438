// answers: Which complaints about a brand did it not answer yet?
// group: Brands
// parameter: brand STRING the brand's key
// example: brand "nordlys"
// parameter: days INTEGER complaints of the last so many days up to the end of the data
// default: days 90
// parameter: most INTEGER how many at most
// default: most 20
// column: post STRING key of the post that was said to speak ill of the brand; stances that are read from texts are not in the graph, posts of who opted out and the brand's own are left out
// column: at ZONED DATETIME when it was published
// column: waits INTEGER how many days before the last day of the data
// column: account STRING key of the author; null where nobody knows
// column: handle STRING handle of the same, null where unknown
// column: followers INTEGER accounts that follow the author in the graph
// column: relations LIST<STRING> what the author is to the brand at the end of the data: employee, collaborator, customer, user
// column: responders INTEGER other accounts that responded to the post
// column: complaints INTEGER how many complaints of this author in these days are unanswered
// mode: read
// index: brand_key
// index: run_id
// cost: one look at each mention of the brand, and at what its own accounts did with each author of a complaint
MATCH (current:Current)
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
MATCH (b:Brand {key: $brand})
USING INDEX b:Brand(key)
WITH
  r, b, date(r.as_of) AS today,
  COLLECT { MATCH (own:Account)-[:ACCOUNT_OF]->(b) RETURN DISTINCT own } AS owners
MATCH (p:Post)-[m:MENTIONS]->(b)
WHERE m.stance = -1
WITH DISTINCT r, b, today, owners, p, date(p.at) AS day
WHERE day > today - duration({days: $days}) AND day <= today
OPTIONAL MATCH (a:Account)-[:POSTED]->(p)
WITH r, b, today, owners, p, day, a ORDER BY a.key
WITH r, b, today, owners, p, day, collect(a) AS authors
WHERE none(a IN authors WHERE (coalesce(a.opted_out, false) OR a.erasure_asked_at IS NOT NULL) OR a IN owners)
  AND NOT EXISTS { MATCH (own)-[s:RESPONDED]->(p) WHERE s.kind = 'reply' AND own IN owners }
  // Who was replied to or mentioned on that day or later was answered, too, though maybe about something else.
  AND NOT any(own IN owners WHERE any(a IN authors WHERE EXISTS {
    MATCH (own)-[e:ENGAGED]->(a)
    WHERE e.day >= day AND e.day <= today AND coalesce(e.replies, 0) + coalesce(e.mentions, 0) > 0
  }))
WITH r, b, today, authors[0] AS a, collect({post: p, day: day, authors: authors}) AS posts
UNWIND posts AS one
WITH r, b, today, a, size(posts) AS of_author, one.post AS p, one.day AS day, one.authors AS authors
ORDER BY p.at, p.key LIMIT $most
RETURN
  p.key AS post, p.at AS at, duration.inDays(day, today).days AS waits, a.key AS account, a.handle AS handle,
  CASE WHEN a IS NOT NULL THEN COUNT { (a)<-[:FOLLOWS]-() } END AS followers,
  CASE WHEN a IS NULL THEN [] ELSE COLLECT {
    MATCH (a)-[w:EMPLOYEE_OF|COLLABORATES_WITH|CUSTOMER_OF|USES]->(b)
    WHERE coalesce(w.since <= r.as_of, true) AND coalesce(w.until > r.as_of, true)
    RETURN DISTINCT CASE type(w)
      WHEN 'EMPLOYEE_OF' THEN 'employee' WHEN 'COLLABORATES_WITH' THEN 'collaborator'
      WHEN 'CUSTOMER_OF' THEN 'customer' ELSE 'user'
    END AS relation ORDER BY relation
  } END AS relations,
  COUNT { MATCH (p)<-[:RESPONDED]-(j:Account) WHERE NOT j IN authors RETURN DISTINCT j } AS responders,
  CASE WHEN a IS NULL THEN null ELSE of_author END AS complaints
ORDER BY at, post
