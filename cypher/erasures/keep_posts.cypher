// answers: Notes keys of posts that an erasure removes, until it is done.
// parameter: id STRING id of the erasure
// parameter: posts LIST<STRING> keys of posts
// mode: write
// index: erasure_id
MATCH (e:Erasure {id: $id})
SET e.posts = coalesce(e.posts, []) + [p IN $posts WHERE NOT p IN coalesce(e.posts, [])]
