// answers: Gives a community a name, or takes it away; no question is open afterwards. Readers notice by names_v.
// parameter: id STRING the community's id
// parameter: name STRING the name; null takes it away
// column: known BOOLEAN whether any run found a community of this id
// mode: write
// index: community_name_id
// index: community_id_run
// index: current_id
OPTIONAL MATCH (c:Community)
USING INDEX c:Community(id, run)
WHERE c.id = $id AND c.run IS NOT NULL AND c.level = 0 AND c.kind = 'found'
WITH count(c) > 0 AS known
FOREACH (_ IN CASE WHEN known THEN [1] ELSE [] END |
  MERGE (n:CommunityName {id: $id})
  SET n.name = $name, n.named_at = datetime(), n.question = null, n.asked_of = null, n.suggested = null
  MERGE (v:Current {id: 1})
  SET v.names_v = coalesce(v.names_v, 0) + 1)
RETURN known
