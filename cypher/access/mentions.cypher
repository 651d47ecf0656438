// answers: Which brands do the posts of an account mention?
// parameter: key STRING the account's key
// column: post STRING key of the post
// column: brand STRING key of the brand
// column: stance INTEGER -1 unfavourable, 0 neutral, 1 favourable
// column: paid BOOLEAN whether it was paid for
// column: said LIST<INTEGER> when its fields were said, in milliseconds
// mode: read
// index: account_key
MATCH (a:Account {key: $key})-[:POSTED]->(p:Post)-[m:MENTIONS]->(b:Brand)
RETURN p.key AS post, b.key AS brand, m.stance AS stance, m.paid AS paid, m.said AS said
