// answers: Of the next accounts by key, what they say of themselves where it may name one of these handles.
// parameter: after STRING key of the last account that was looked at
// parameter: handles LIST<STRING> handles as texts name them, in lower case
// parameter: most INTEGER how many accounts to look at
// column: last STRING key of the last account that was looked at; null where there is none
// column: found LIST<LIST> key and bio of those
// mode: read
// index: account_key
MATCH (a:Account)
USING INDEX a:Account(key)
WHERE a.key > $after
WITH a ORDER BY a.key LIMIT $most
WITH max(a.key) AS last, collect(
  CASE WHEN any(handle IN $handles WHERE toLower(normalize(a.bio, NFKC)) CONTAINS handle) THEN [a.key, a.bio] END
) AS found
RETURN last, found
