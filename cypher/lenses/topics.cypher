// answers: What topics did an account write or share about, in how many posts, and which of them is the latest?
// parameter: key STRING the account's key
// parameter: until ZONED DATETIME before when; posts without a time count
// parameter: most INTEGER how many topics at most
// column: topic STRING the topic
// column: posts INTEGER how many posts
// column: post STRING key of the latest of them
// column: latest ZONED DATETIME when that was; null where unknown
// mode: read
// index: account_key
MATCH (a:Account {key: $key})
USING INDEX a:Account(key)
MATCH (a)-[w:POSTED|RESPONDED]->(p:Post)
WHERE type(w) = 'POSTED' OR w.kind = 'repost'
WITH DISTINCT p
WHERE p.at IS NULL OR p.at < $until
MATCH (p)-[:ABOUT]->(t:Topic)
WITH t, p ORDER BY p.at IS NULL, p.at DESC, p.key DESC
WITH t, count(*) AS posts, collect(p)[0] AS latest
RETURN t.name AS topic, posts, latest.key AS post, latest.at AS latest
ORDER BY posts DESC, topic
LIMIT $most
