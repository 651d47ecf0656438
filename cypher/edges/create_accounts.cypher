// answers: Creates accounts that are not in the graph yet. The lists are parallel: one account a position.
// parameter: keys LIST<STRING> account keys
// parameter: networks LIST<STRING> their networks
// parameter: native_ids LIST<STRING> their ids in their networks
// parameter: first INTEGER number of the first account; the others follow
// parameter: v INTEGER graph version of this change
// column: nodes LIST<INTEGER> ids of their nodes, parallel with keys
// mode: write
UNWIND range(0, size($keys) - 1) AS i
CREATE (a:Account {key: $keys[i], n: $first + i, network: $networks[i], native_id: $native_ids[i], v: $v})
WITH i, a ORDER BY i
RETURN collect(id(a)) AS nodes
