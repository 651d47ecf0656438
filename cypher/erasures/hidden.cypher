// answers: Which accounts may no answer name, though runs that are kept do: those that opted out since, and those to be erased?
// column: key STRING key
// column: handle STRING handle, null where it has none
// column: v INTEGER version of the graph at which it changed last; null where it is to be erased
// mode: read
// index: run_state
// index: account_opted_out
// index: account_erasure_asked_at
// index: erasure_key
OPTIONAL MATCH (r:Run {state: 'done'})
// Those who had opted out when a run was made it names nowhere.
WHERE r.removed_at IS NULL
WITH coalesce(min(r.graph_version), 0) AS oldest
CALL (oldest) {
  MATCH (a:Account)
  USING INDEX a:Account(opted_out)
  WHERE a.opted_out = true AND a.v > oldest
  RETURN a.key AS key, a.handle AS handle, a.v AS v
  UNION ALL
  MATCH (a:Account)
  USING INDEX a:Account(erasure_asked_at)
  WHERE a.erasure_asked_at IS NOT NULL
  RETURN a.key AS key, a.handle AS handle, null AS v
  UNION ALL
  MATCH (e:Erasure)
  USING INDEX e:Erasure(key)
  WHERE e.key IS NOT NULL
  RETURN e.key AS key, e.handle AS handle, null AS v
}
RETURN key, handle, v
