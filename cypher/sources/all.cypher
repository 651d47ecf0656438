// answers: Who may push events, with which secrets? By name; secrets are sealed, the latest first.
// column: name STRING name of the source
// column: network STRING where accounts live that do not say so
// column: platform STRING whose adapter reads what it pushes; null: it pushes events of ours
// column: mapping STRING what the adapter reads by, as JSON, where it needs that
// column: disabled BOOLEAN whether it may not push any more
// column: created_at INTEGER when it was made, in milliseconds since 1970 UTC
// column: secrets LIST<MAP> id, sealed, created_at and last_used_at of each
// mode: read
// index: source_name
MATCH (s:Source)
USING INDEX s:Source(name)
WHERE s.name >= ''
RETURN
  s.name AS name, s.network AS network, s.platform AS platform, s.mapping AS mapping, s.disabled AS disabled, s.created_at.epochMillis AS created_at,
  [(s)-[:HAS_SECRET]->(x:SourceSecret) | {
    id: x.id, sealed: x.sealed, created_at: x.created_at.epochMillis, last_used_at: x.last_used_at.epochMillis,
    place: x.place
  }] AS secrets
ORDER BY name
