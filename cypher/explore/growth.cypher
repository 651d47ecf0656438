// answers: How did a community grow between two runs: who stayed, how many came from where, and how many left to where?
// group: Over time
// parameter: community STRING id of the community
// parameter: before STRING id of the earlier run; empty for the run that the later one started from
// parameter: after STRING id of the later run; empty for the run that is served
// example: community "cjqmnpx266o"
// default: before ""
// default: after ""
// column: change STRING stayed, joined or left
// column: other STRING id of the community that they came from or went to; null for none, or where they are in the graph since or no longer; null of those who stayed
// column: accounts INTEGER how many
// column: share_of_before FLOAT share, 0 to 1, of its members in the earlier run; null of those who joined
// column: share_of_after FLOAT share, 0 to 1, of its members in the later run; null of those who left
// column: run_before STRING id of the earlier run; null where there is none, or nothing is left of it: then all have joined
// column: run_after STRING id of the later run
// mode: read
// index: current_id
// index: run_id
// cost: one look at each member of the community in both runs
MATCH (current:Current {id: 1})
MATCH (later:Run {id: CASE $after WHEN '' THEN current.run ELSE $after END})
USING INDEX later:Run(id)
WHERE later.state = 'done' AND later.removed_at IS NULL
// A run that started from nothing says cold, which is the id of none.
OPTIONAL MATCH (earlier:Run {id: CASE $before WHEN '' THEN later.start ELSE $before END})
USING INDEX earlier:Run(id)
WHERE earlier.state = 'done' AND earlier.removed_at IS NULL
// A community in which nothing changed is the same node in both runs: then all have stayed.
OPTIONAL MATCH (later)-[:FOUND]->(now:Community {level: 0, kind: 'found', id: $community})
OPTIONAL MATCH (earlier)-[:FOUND]->(then:Community {level: 0, kind: 'found', id: $community})
CALL (later, earlier, now, then) {
  MATCH (now)<-[:MEMBER_OF {primary: true}]-(a:Account)
  WITH earlier, then, head(COLLECT {
    MATCH (a)-[:MEMBER_OF {primary: true}]->(c:Community {kind: 'found'})
    WHERE EXISTS { (c)<-[:FOUND]-(earlier) }
    RETURN c
  }) AS c
  WITH coalesce(c = then, false) AS stayed, c.id AS id
  RETURN CASE WHEN stayed THEN 'stayed' ELSE 'joined' END AS change, CASE WHEN NOT stayed THEN id END AS other
  UNION ALL
  MATCH (then)<-[:MEMBER_OF {primary: true}]-(a:Account)
  WITH later, now, head(COLLECT {
    MATCH (a)-[:MEMBER_OF {primary: true}]->(c:Community {kind: 'found'})
    WHERE EXISTS { (c)<-[:FOUND]-(later) }
    RETURN c
  }) AS c
  WHERE NOT coalesce(c = now, false)
  RETURN 'left' AS change, c.id AS other
}
WITH later, earlier, change, other, count(*) AS accounts
WITH later, earlier, collect({change: change, other: other, accounts: accounts}) AS changes
WITH
  *,
  reduce(n = 0.0, one IN changes | n + CASE one.change WHEN 'joined' THEN 0 ELSE one.accounts END) AS size_before,
  reduce(n = 0.0, one IN changes | n + CASE one.change WHEN 'left' THEN 0 ELSE one.accounts END) AS size_after
UNWIND changes AS one
RETURN
  one.change AS change, one.other AS other, one.accounts AS accounts,
  CASE WHEN one.change <> 'joined' THEN one.accounts / size_before END AS share_of_before,
  CASE WHEN one.change <> 'left' THEN one.accounts / size_after END AS share_of_after,
  earlier.id AS run_before, later.id AS run_after
ORDER BY CASE change WHEN 'stayed' THEN 0 WHEN 'joined' THEN 1 ELSE 2 END, accounts DESC, other
