// answers: Which posts were removed by an erasure that is not done?
// parameter: id STRING id of the erasure
// column: posts LIST<STRING> their keys
// mode: read
// index: erasure_id
MATCH (e:Erasure {id: $id})
RETURN coalesce(e.posts, []) AS posts
