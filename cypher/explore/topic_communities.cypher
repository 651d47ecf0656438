// answers: In which communities does a topic live: how many members write or share about it, how much, and since when?
// group: Communities
// parameter: topic STRING name of the topic, in lower case
// parameter: most INTEGER how many communities at most
// example: topic "jazz"
// default: most 20
// column: community STRING id of the community
// column: topics LIST<STRING> topics of its label
// column: members INTEGER members who wrote a post about the topic, or reposted one
// column: share FLOAT share, 0 to 1, of all its members that these are
// column: posts INTEGER different posts about it that they wrote or reposted
// column: first ZONED DATETIME when a member first did; null where no time is known
// column: last ZONED DATETIME when a member last did
// mode: read
// index: topic_name
// index: current_id
// index: run_id
// cost: the posts about the topic, and who wrote and reposted them
MATCH (t:Topic {name: $topic})
USING INDEX t:Topic(name)
MATCH (current:Current {id: 1})
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
MATCH (t)<-[:ABOUT]-(p:Post)<-[w:POSTED|RESPONDED]-(a:Account)
WHERE type(w) = 'POSTED' OR w.kind = 'repost'
MATCH (a)-[:MEMBER_OF {primary: true}]->(c:Community {kind: 'found'})
WHERE EXISTS { (c)<-[:FOUND]-(r) }
WITH c, a, p, CASE type(w) WHEN 'POSTED' THEN p.at ELSE w.at END AS at
WITH
  c, count(DISTINCT a) AS members, count(DISTINCT p) AS posts, min(at) AS first, max(at) AS last
RETURN
  c.id AS community, c.topics AS topics, members, toFloat(members) / c.size AS share, posts, first, last
ORDER BY members DESC, posts DESC, community
LIMIT $most
