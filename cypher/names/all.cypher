// answers: All names that people gave to communities, and questions about them that are open.
// column: id STRING the community's id
// column: name STRING what people call it; null where only a question is open
// column: question STRING split or merged, where somebody should say whether the name is right; null where not
// column: asked_of STRING id of the community whose name is in question
// column: suggested STRING a name that it could have
// column: named_at ZONED DATETIME when people last said so
// mode: read
// index: community_name_id
MATCH (n:CommunityName)
USING INDEX n:CommunityName(id)
WHERE n.id >= ''
RETURN
  n.id AS id, n.name AS name, n.question AS question, n.asked_of AS asked_of, n.suggested AS suggested,
  n.named_at AS named_at
ORDER BY id
