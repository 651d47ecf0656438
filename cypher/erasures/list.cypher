// answers: Which erasures were there, the latest first?
// parameter: most INTEGER how many
// column: erasure MAP its properties
// mode: read
// index: erasure_id
MATCH (e:Erasure)
USING INDEX e:Erasure(id)
WHERE e.id >= ''
RETURN e {.id, .state, .asked_at, .begun_at, .done_at, .removed} AS erasure
ORDER BY e.asked_at DESC, e.id
LIMIT $most
