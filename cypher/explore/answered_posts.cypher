// answers: Which posts of an account, or about a topic, got responses from most accounts, and of which kind?
// group: Accounts
// parameter: key STRING the account's key; empty for posts of anybody
// default: key ""
// parameter: topic STRING the topic; empty for posts about anything. One of the two has to be given
// default: topic ""
// example: topic "jazz"
// parameter: most INTEGER how many posts at most
// default: most 20
// column: post STRING key of the post; those of who opted out are left out
// column: account STRING key of the author; null where nobody knows
// column: handle STRING handle of the same, null where unknown
// column: at ZONED DATETIME when it was published, null where unknown
// column: kind STRING its form, null where unknown
// column: topics LIST<STRING> what it is about
// column: accounts INTEGER different accounts that responded, the author not counted
// column: likes INTEGER how many of them liked it
// column: replies INTEGER how many replied
// column: reposts INTEGER how many passed it on
// mode: read
// index: account_key
// index: topic_name
// cost: one look at each response to each post of the account, or about the topic
CALL () {
  MATCH (a:Account {key: $key})
  USING INDEX a:Account(key)
  MATCH (a)-[:POSTED]->(p:Post)
  WHERE $topic = '' OR EXISTS { MATCH (p)-[:ABOUT]->(t:Topic) WHERE t.name = $topic }
  RETURN p
  UNION
  MATCH (t:Topic {name: $topic})
  USING INDEX t:Topic(name)
  MATCH (t)<-[:ABOUT]-(p:Post)
  WHERE $key = ''
  RETURN p
}
WITH p, COLLECT { MATCH (a:Account)-[:POSTED]->(p) RETURN a ORDER BY a.key } AS authors
WHERE none(a IN authors WHERE (coalesce(a.opted_out, false) OR a.erasure_asked_at IS NOT NULL))
CALL (p, authors) {
  OPTIONAL MATCH (p)<-[s:RESPONDED]-(j:Account)
  WHERE NOT j IN authors
  RETURN
    count(DISTINCT j) AS accounts,
    count(DISTINCT CASE WHEN s.kind = 'like' THEN j END) AS likes,
    count(DISTINCT CASE WHEN s.kind = 'reply' THEN j END) AS replies,
    count(DISTINCT CASE WHEN s.kind = 'repost' THEN j END) AS reposts
}
WITH p, authors, accounts, likes, replies, reposts
WHERE accounts > 0
WITH p, authors, accounts, likes, replies, reposts ORDER BY accounts DESC, p.key LIMIT $most
RETURN
  p.key AS post, authors[0].key AS account, authors[0].handle AS handle, p.at AS at, p.kind AS kind,
  COLLECT { MATCH (p)-[:ABOUT]->(t:Topic) RETURN t.name ORDER BY t.name } AS topics,
  accounts, likes, replies, reposts
ORDER BY accounts DESC, post
