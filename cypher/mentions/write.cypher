// answers: Writes mentions of brands in posts. The lists are parallel: one mention a position.
// parameter: post LIST<STRING> keys of posts
// parameter: brand LIST<STRING> keys of brands
// parameter: stance LIST<INTEGER> -1 unfavourable, 0 neutral, 1 favourable
// parameter: paid LIST<BOOLEAN> whether they were paid for
// parameter: said LIST<LIST> when its fields were said, in milliseconds
// parameter: v INTEGER graph version of this change
// mode: write
// index: post_key
// index: brand_key
UNWIND range(0, size($post) - 1) AS i
MATCH (p:Post {key: $post[i]})
USING INDEX p:Post(key)
MATCH (b:Brand {key: $brand[i]})
USING INDEX b:Brand(key)
MERGE (p)-[m:MENTIONS]->(b)
SET m.stance = $stance[i], m.paid = $paid[i], m.said = $said[i], m.v = $v
