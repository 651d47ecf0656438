// answers: Who followed early what became big in a community, and how often would chance do so?
// group: Over time
// parameter: community STRING id of the community
// example: community "cjqmnpx266o"
// parameter: big INTEGER so many of its members, those with most followers
// default: big 10
// parameter: first INTEGER early is who is among the first so many followers, by date
// default: first 10
// parameter: most INTEGER how many at most
// default: most 20
// column: account STRING key of the follower
// column: handle STRING handle of the same, null where unknown
// column: early INTEGER how many of the big ones it followed early
// column: followed INTEGER how many of them it follows since a known date
// column: expected FLOAT how many of these would be early if all their followers had come in a random order
// column: examples LIST<STRING> keys of the big ones that it followed early
// mode: read
// index: run_id
// cost: one look at each member of the community and at each follower of the big ones
MATCH (current:Current)
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
MATCH (r)-[:FOUND]->(c:Community {level: 0})
WHERE c.id = $community
MATCH (t:Account)-[:MEMBER_OF {primary: true}]->(c)
WHERE NOT (coalesce(t.opted_out, false) OR t.erasure_asked_at IS NOT NULL)
WITH t, COUNT { (t)<-[:FOLLOWS]-() } AS followers
ORDER BY followers DESC, t.key LIMIT $big
CALL (t) {
  MATCH (t)<-[f:FOLLOWS]-(j:Account)
  // A list of all followers says who follows, and not since when.
  WHERE f.at IS NOT NULL AND NOT coalesce(f.at = t.followers_complete_at, false)
  WITH j, f.at AS at ORDER BY at, j.key
  RETURN collect(j) AS line
}
WITH t, line
// Where all were among the first, that says nothing.
WHERE size(line) > $first
UNWIND range(0, size(line) - 1) AS place
WITH line[place] AS j, t.key AS key, place < $first AS early, toFloat($first) / size(line) AS chance
ORDER BY key
WITH
  j, count(CASE WHEN early THEN 1 END) AS early, count(*) AS followed, sum(chance) AS expected,
  collect(CASE WHEN early THEN key END) AS examples
WHERE early > 0 AND NOT (coalesce(j.opted_out, false) OR j.erasure_asked_at IS NOT NULL)
RETURN j.key AS account, j.handle AS handle, early, followed, expected, examples
// Of two that were early as often, who follows fewer of them.
ORDER BY early DESC, followed, account
LIMIT $most
