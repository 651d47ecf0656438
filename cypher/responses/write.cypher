// answers: Writes responses that are not in the graph yet. The lists are parallel: one response a position.
// parameter: account LIST<STRING> keys of who responded
// parameter: post LIST<STRING> keys of posts
// parameter: kind LIST<STRING> how
// parameter: at LIST<INTEGER> when, in milliseconds since 1970 UTC, -1 where unknown
// parameter: v INTEGER graph version of this change
// mode: write
// index: account_key
// index: post_key
UNWIND range(0, size($account) - 1) AS i
MATCH (a:Account {key: $account[i]})
USING INDEX a:Account(key)
MATCH (p:Post {key: $post[i]})
USING INDEX p:Post(key)
CREATE (a)-[:RESPONDED {
  kind: $kind[i], at: CASE WHEN $at[i] >= 0 THEN datetime({epochMillis: $at[i]}) END, v: $v
}]->(p)
