// answers: Names move along: of communities that split or merged in a new run, people are asked whether the name is right.
// parameter: rows LIST<MAP> id STRING of a community; predecessor STRING the one whose name it may have; question STRING split or merged
// mode: write
// index: community_name_id
UNWIND $rows AS row
MATCH (p:CommunityName {id: row.predecessor})
WHERE p.name IS NOT NULL
WITH row, p.name AS name
MERGE (n:CommunityName {id: row.id})
SET
  n.question = row.question,
  n.asked_of = row.predecessor,
  n.suggested = CASE WHEN n.name = name THEN null ELSE name END,
  // Into a community without a name goes the name of what merged into it; a part that split off waits for people.
  n.name = CASE WHEN n.name IS NULL AND row.question = 'merged' THEN name ELSE n.name END
