// answers: Which brands did an account name in posts about topics, and how often?
// parameter: key STRING the account's key
// parameter: until ZONED DATETIME before when; posts without a time count
// parameter: topics LIST<STRING> the topics
// column: topic STRING the topic
// column: brand STRING key of a brand that these posts name
// column: name STRING what it is called; null where unknown
// column: posts INTEGER in how many of them
// mode: read
// index: account_key
MATCH (a:Account {key: $key})
USING INDEX a:Account(key)
MATCH (a)-[:POSTED]->(p:Post)-[:MENTIONS]->(b:Brand)
WHERE p.at IS NULL OR p.at < $until
MATCH (p)-[:ABOUT]->(t:Topic)
WHERE t.name IN $topics
RETURN t.name AS topic, b.key AS brand, b.name AS name, count(DISTINCT p) AS posts
ORDER BY topic, posts DESC, brand
