// answers: Which of these responses are in the graph?
// parameter: account LIST<STRING> keys of who responded
// parameter: post LIST<STRING> keys of posts
// parameter: kind LIST<STRING> how
// parameter: at LIST<INTEGER> when, in milliseconds since 1970 UTC, -1 where unknown
// column: i INTEGER position in the lists
// column: said LIST<INTEGER> nothing: a response never changes
// mode: read
// index: account_key
// index: post_key
UNWIND range(0, size($account) - 1) AS i
MATCH (a:Account {key: $account[i]})
USING INDEX a:Account(key)
MATCH (p:Post {key: $post[i]})
USING INDEX p:Post(key)
MATCH (a)-[r:RESPONDED {kind: $kind[i]}]->(p)
WHERE coalesce(r.at.epochMillis, -1) = $at[i]
RETURN i, null AS said
