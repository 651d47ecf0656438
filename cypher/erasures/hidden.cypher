// answers: Which accounts may no answer name: those that opted out or asked to be erased, and those that are being erased?
// column: key STRING key
// column: handle STRING handle, null where it has none
// column: v INTEGER version of the graph at which it changed last; null where it is to be erased
// mode: read
// index: account_opted_out
// index: account_erasure_asked_at
// index: erasure_key
CALL () {
  MATCH (a:Account)
  USING INDEX a:Account(opted_out)
  WHERE a.opted_out = true
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
