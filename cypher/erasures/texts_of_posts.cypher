// answers: Of the next posts by key, the texts that may name one of these handles.
// parameter: after STRING key of the last post that was looked at
// parameter: handles LIST<STRING> handles as texts name them, in lower case
// parameter: most INTEGER how many posts to look at
// column: last STRING key of the last post that was looked at; null where there is none
// column: found LIST<LIST> key and text of those
// mode: read
// index: post_key
MATCH (p:Post)
USING INDEX p:Post(key)
WHERE p.key > $after
WITH p ORDER BY p.key LIMIT $most
WITH max(p.key) AS last, collect(
  CASE WHEN any(handle IN $handles WHERE toLower(normalize(p.text, NFKC)) CONTAINS handle) THEN [p.key, p.text] END
) AS found
RETURN last, found
