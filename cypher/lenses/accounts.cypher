// answers: What do the lenses of a run say of some accounts, and which are there at all?
// parameter: run STRING the run's id
// parameter: keys LIST<STRING> keys of accounts
// parameter: lenses LIST<STRING> names of lenses
// parameter: parts LIST<STRING> parts of the ambassador score
// column: key STRING key of the account
// column: handle STRING its handle, empty where unknown
// column: scored BOOLEAN whether the run says anything of it
// column: hidden BOOLEAN whether it opted out: it may not be named
// column: community STRING id of its community; null where it is in none
// column: size INTEGER how many members that has; null likewise
// column: type STRING macro, micro or member; null where it is in none
// column: values LIST<FLOAT> what the lenses say in their order, NaN where that is nothing
// column: raw LIST<FLOAT> the parts in their order, as in its own community, NaN likewise
// mode: read
// index: account_key
// index: run_id
UNWIND $keys AS key
MATCH (a:Account {key: key})
USING INDEX a:Account(key)
MATCH (r:Run {id: $run})
USING INDEX r:Run(id)
OPTIONAL MATCH (a)-[s:SCORED]->(r)
OPTIONAL MATCH (a)-[m:MEMBER_OF {primary: true}]->(c:Community {level: 0, id: s.community})
WHERE EXISTS { MATCH (c)<-[:FOUND]-(r) }
RETURN
  a.key AS key,
  coalesce(a.handle, '') AS handle,
  s IS NOT NULL AS scored,
  coalesce(a.opted_out, false) AS hidden,
  s.community AS community,
  c.size AS size,
  m.type AS type,
  [name IN $lenses | coalesce(s[name], toFloat('NaN'))] AS values,
  [name IN $parts | coalesce(m[name], toFloat('NaN'))] AS raw
ORDER BY key
