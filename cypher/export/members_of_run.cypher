// answers: Who is in each community of a run, best first? Not who opted out or is to be erased. The largest first.
// parameter: run STRING the run's id
// parameter: community STRING id of one community, also one that people defined; null for all that were found
// column: community STRING id of the community
// column: size INTEGER its accounts
// column: members LIST<INTEGER> ids of its members within Neo4j: candidates by rank, then others by score, then by key
// mode: read
// index: run_id
MATCH (:Run {id: $run})-[:FOUND]->(c:Community {level: 0})
WHERE CASE WHEN $community IS NULL THEN coalesce(c.kind, 'found') = 'found' ELSE c.id = $community END
CALL (c) {
  MATCH (a:Account)-[m:MEMBER_OF]->(c)
  WHERE
    (m.primary OR coalesce(c.kind, 'found') <> 'found')
    AND NOT coalesce(a.opted_out, false)
    AND a.erasure_asked_at IS NULL
  WITH a, m
  ORDER BY m.rank IS NULL, m.rank, m.score IS NULL, m.score DESC, a.key
  RETURN collect(id(a)) AS members
}
RETURN c.id AS community, c.size AS size, members
ORDER BY size DESC, community
