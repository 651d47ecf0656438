// answers: Writes texts of posts.
// parameter: keys LIST<STRING> keys of posts
// parameter: texts LIST<STRING> their texts
// parameter: v INTEGER graph version of this change
// mode: write
// index: post_key
UNWIND range(0, size($keys) - 1) AS i
MATCH (p:Post {key: $keys[i]})
SET p.text = $texts[i], p.v = $v
