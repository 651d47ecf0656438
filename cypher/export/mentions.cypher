// answers: All mentions of brands in posts, in order of their keys.
// column: post STRING key of the post
// column: brand STRING key of the brand
// column: stance INTEGER -1 unfavourable, 0 neutral, 1 favourable
// column: paid BOOLEAN whether it was paid for
// column: said LIST<INTEGER> when its fields were said, in milliseconds
// mode: read
// index: post_key
MATCH (p:Post)
USING INDEX p:Post(key)
WHERE p.key >= ''
MATCH (p)-[m:MENTIONS]->(b:Brand)
RETURN p.key AS post, b.key AS brand, m.stance AS stance, m.paid AS paid, m.said AS said
ORDER BY post, brand
