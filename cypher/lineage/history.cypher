// answers: What is known of a community over all published runs that found it, and of where it came from each time?
// parameter: id STRING the community's id
// column: run STRING id of the run
// column: finished_at ZONED DATETIME when that was done
// column: as_of ZONED DATETIME latest event time that it saw; null where nothing has a time
// column: size INTEGER accounts
// column: label STRING label of the community, of the latest run that found it like this
// column: event STRING born, continues, merges or splits: what happened when its memberships were written
// column: same BOOLEAN whether the memberships are those of an earlier run
// column: predecessors LIST<MAP> id, relation, accounts, share_of_it, share_of_this
// column: parts LIST<STRING> ids of communities that split off from this one afterwards
// column: ended STRING died, merged or split in the next run; null where it goes on
// column: ended_in STRING id of that run
// column: ended_into LIST<STRING> ids of where its accounts went
// mode: read
// index: community_id_run
MATCH (c:Community)
USING INDEX c:Community(id, run)
WHERE c.id = $id AND c.run IS NOT NULL
MATCH (r:Run {state: 'done', publish: true})-[:FOUND]->(c)
WITH c, r ORDER BY r.finished_at, r.id
WITH c, collect(r) AS runs
UNWIND range(0, size(runs) - 1) AS turn
WITH c, runs[turn] AS r, turn, turn = size(runs) - 1 AS last
CALL (c, last) {
  MATCH (c)<-[:SPLITS]-(part:Community)<-[:FOUND]-(s:Run {state: 'done', publish: true})
  WHERE last
  WITH part, min(s.finished_at) AS since
  ORDER BY since, part.id
  RETURN collect(part.id) AS parts
}
RETURN
  r.id AS run,
  r.finished_at AS finished_at,
  r.as_of AS as_of,
  c.size AS size,
  c.label AS label,
  coalesce(c.event, 'born') AS event,
  turn > 0 AS same,
  CASE turn WHEN 0 THEN COLLECT {
    MATCH (c)-[e:CONTINUES|MERGES|SPLITS]->(p:Community)
    RETURN e {.*, id: p.id, relation: toLower(type(e))} ORDER BY e.accounts DESC, p.id
  } ELSE [] END AS predecessors,
  parts,
  CASE WHEN last THEN c.ended END AS ended,
  CASE WHEN last THEN c.ended_in END AS ended_in,
  CASE WHEN last THEN c.ended_into END AS ended_into
ORDER BY finished_at DESC, run DESC
