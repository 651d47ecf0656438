// answers: Between two runs, how many accounts went from which community to which?
// group: Over time
// parameter: before STRING id of the earlier run; empty for the run that the later one started from
// parameter: after STRING id of the later run; empty for the run that is served
// default: before ""
// default: after ""
// column: source STRING id of the community in the earlier run; null of accounts that were in none
// column: source_topics LIST<STRING> topics of its label; empty where nothing stands out, or there is none
// column: target STRING id of the community in the later run; null of accounts that are in none
// column: target_topics LIST<STRING> likewise
// column: accounts INTEGER how many
// column: share_of_source FLOAT share, 0 to 1, of the members that the source had; null where there is no source
// column: share_of_target FLOAT share, 0 to 1, of the members that the target has; null where there is no target
// column: run_before STRING id of the earlier run; null where there is none, or nothing is left of it: then all come from none
// column: run_after STRING id of the later run
// mode: read
// index: current_id
// index: run_id
// cost: one look at each member of each community of both runs
MATCH (current:Current {id: 1})
MATCH (later:Run {id: CASE $after WHEN '' THEN current.run ELSE $after END})
USING INDEX later:Run(id)
WHERE later.state = 'done' AND later.removed_at IS NULL
// A run that started from nothing says cold, which is the id of none.
OPTIONAL MATCH (earlier:Run {id: CASE $before WHEN '' THEN later.start ELSE $before END})
USING INDEX earlier:Run(id)
WHERE earlier.state = 'done' AND earlier.removed_at IS NULL
CALL (later, earlier) {
  // A community in which nothing changed is the same node in both runs.
  MATCH (later)-[:FOUND]->(now:Community {level: 0, kind: 'found'})<-[:MEMBER_OF {primary: true}]-(a:Account)
  RETURN a, null AS source, now AS target
  UNION ALL
  MATCH (earlier)-[:FOUND]->(then:Community {level: 0, kind: 'found'})<-[:MEMBER_OF {primary: true}]-(a:Account)
  RETURN a, then AS source, null AS target
}
// Each account is in one primary community of a run, or in none.
WITH later, earlier, a, head(collect(source)) AS source, head(collect(target)) AS target
WITH later, earlier, source, target, count(*) AS accounts
WITH later, earlier, source, collect({target: target, accounts: accounts}) AS moves, sum(accounts) AS size_before
UNWIND moves AS move
WITH
  later, earlier, move.target AS target, sum(move.accounts) AS size_after,
  collect({source: source, size_before: size_before, accounts: move.accounts}) AS moves
UNWIND moves AS move
WITH later, earlier, move.source AS source, target, move.accounts AS accounts, move.size_before AS size_before, size_after
RETURN
  source.id AS source, coalesce(source.topics, []) AS source_topics,
  target.id AS target, coalesce(target.topics, []) AS target_topics, accounts,
  CASE WHEN source IS NOT NULL THEN toFloat(accounts) / size_before END AS share_of_source,
  CASE WHEN target IS NOT NULL THEN toFloat(accounts) / size_after END AS share_of_target,
  earlier.id AS run_before, later.id AS run_after
ORDER BY accounts DESC, source, target
