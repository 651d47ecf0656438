// answers: What do the lenses of a run say of those members of some communities that are compared?
// parameter: run STRING the run's id
// parameter: ids LIST<STRING> ids of communities
// parameter: lenses LIST<STRING> names of lenses
// parameter: parts LIST<STRING> parts of the ambassador score
// column: community STRING id of the community
// column: size INTEGER how many members it has
// column: keys LIST<STRING> keys of accounts
// column: handles LIST<STRING> of each of them, empty where unknown
// column: types LIST<STRING> of each of them: macro, micro or member
// column: own LIST<STRING> ids of the communities that they are in by what was found
// column: values LIST<LIST> of each of them, what the lenses say in their order, NaN where that is nothing
// column: raw LIST<LIST> of each of them, the parts in their order, NaN likewise
// mode: read
// index: run_id
MATCH (r:Run {id: $run})-[:FOUND]->(c:Community)
WHERE c.id IN $ids
CALL (r, c) {
  MATCH (a:Account)-[m:MEMBER_OF]->(c)
  WHERE m.in_base
  // From member to run, and not from the run to all accounts.
  WITH a, r, m
  MATCH (a)-[s:SCORED]->(r)
  RETURN
    collect(a.key) AS keys,
    collect(coalesce(a.handle, '')) AS handles,
    collect(m.type) AS types,
    collect(DISTINCT s.community) AS own,
    collect([name IN $lenses | coalesce(s[name], toFloat('NaN'))]) AS values,
    collect([name IN $parts | coalesce(m[name], toFloat('NaN'))]) AS raw
}
RETURN c.id AS community, c.size AS size, keys, handles, types, own, values, raw
ORDER BY community
