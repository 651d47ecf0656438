// answers: Writes texts of posts.
// parameter: keys LIST<STRING> keys of posts
// parameter: befores LIST<STRING> their texts as they were read
// parameter: texts LIST<STRING> their texts
// parameter: v INTEGER graph version of this change
// mode: write
// index: post_key
UNWIND range(0, size($keys) - 1) AS i
MATCH (p:Post {key: $keys[i]})
WHERE p.text = $befores[i]
SET p.text = $texts[i], p.v = $v
