// answers: Creates posts that are not in the graph yet, with nothing known of them.
// parameter: keys LIST<STRING> keys of posts
// parameter: v INTEGER graph version of this change
// column: created INTEGER how many were not there
// mode: write
// index: post_key
UNWIND $keys AS key
MERGE (p:Post {key: key})
ON CREATE SET p.v = $v
RETURN count(CASE WHEN p.v = $v THEN 1 END) AS created
