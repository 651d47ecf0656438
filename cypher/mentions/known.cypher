// answers: What is known of the mentions of these brands in these posts?
// parameter: post LIST<STRING> keys of posts
// parameter: brand LIST<STRING> keys of brands
// column: i INTEGER position in the lists
// column: stance INTEGER -1 unfavourable, 0 neutral, 1 favourable
// column: paid BOOLEAN whether it was paid for
// column: said LIST<INTEGER> when its fields were said, in milliseconds
// mode: read
// index: post_key
// index: brand_key
UNWIND range(0, size($post) - 1) AS i
MATCH (p:Post {key: $post[i]})
USING INDEX p:Post(key)
MATCH (b:Brand {key: $brand[i]})
USING INDEX b:Brand(key)
MATCH (p)-[m:MENTIONS]->(b)
RETURN i, m.stance AS stance, m.paid AS paid, m.said AS said
