// answers: Who is first in each respectable community by a measure that an analyst wrote, and where does the score place them?
// group: Candidates
// parameter: measure STRING name under which it was written (Connection.write_measure in notebooks)
// parameter: each INTEGER how many accounts of each community
// example: measure "effective_size"
// default: each 3
// column: community STRING id of the community
// column: topics LIST<STRING> what it writes and shares about more than others do
// column: place INTEGER place by the measure among the members that are compared (its base); ties by key
// column: account STRING key of the account
// column: handle STRING handle of the same, null where unknown
// column: value FLOAT its value, in the unit of the measure
// column: rank INTEGER place among the candidates by score; null of who is none
// column: score FLOAT 0 to 100; null where it has none
// column: type STRING macro, micro or member
// column: graph_version INTEGER version of the graph that the measure was computed on
// mode: read
// index: own_measure_name
// index: run_id
// cost: one look at each value of the measure
MATCH (measure:OwnMeasure {name: $measure})
WHERE measure.pending IS NULL
MATCH (current:Current)
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
// From value to member to run, and not from the run to all accounts.
MATCH (measure)<-[v:MEASURED]-(a:Account)
WHERE NOT (coalesce(a.opted_out, false) OR a.erasure_asked_at IS NOT NULL)
WITH measure, r, v, a
MATCH (a)-[m:MEMBER_OF {primary: true}]->(c:Community {level: 0})
WHERE m.in_base AND c.respectable AND EXISTS { (c)<-[:FOUND]-(r) }
WITH measure, c, m, v, a ORDER BY v.value DESC, a.key
WITH measure, c, collect({account: a, membership: m, value: v.value})[..$each] AS first
UNWIND range(0, size(first) - 1) AS i
WITH measure, c, i + 1 AS place, first[i] AS one
WITH measure, c, place, one.account AS a, one.membership AS m, one.value AS value
RETURN
  c.id AS community, coalesce(c.topics, []) AS topics, place, a.key AS account, a.handle AS handle, value,
  m.rank AS rank, m.score AS score, m.type AS type, measure.graph_version AS graph_version
ORDER BY c.size DESC, community, place
