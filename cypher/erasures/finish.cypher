// answers: Ends an erasure: from now on nothing says whose it was. Under the version lock.
// parameter: id STRING id of the erasure
// mode: write
// index: erasure_id
// index: graph_id
MATCH (e:Erasure {id: $id})
WHERE e.key IS NOT NULL
SET e.state = 'done', e.done_at = datetime()
REMOVE e.key, e.handle, e.persons, e.posts, e.lock
WITH e
MATCH (g:Graph {id: 1})
SET g.masks_v = coalesce(g.masks_v, 0) + 1
