// answers: Which accounts asked to be erased, and are in the graph?
// parameter: most INTEGER how many at once
// column: key STRING key
// column: handle STRING handle, null where it has none
// column: asked_at INTEGER when, in milliseconds since 1970 UTC
// mode: read
// index: account_erasure_asked_at
MATCH (a:Account)
USING INDEX a:Account(erasure_asked_at)
WHERE a.erasure_asked_at IS NOT NULL
RETURN a.key AS key, a.handle AS handle, a.erasure_asked_at.epochMillis AS asked_at
ORDER BY key
LIMIT $most
