// answers: Which accounts have these handles? Two at most of each: more than one is no answer.
// parameter: handles LIST<STRING> handles
// parameter: networks LIST<STRING> the network of each, null for any
// column: i INTEGER position in handles
// column: found LIST<STRING> keys of accounts
// mode: read
// index: account_handle_folded
UNWIND range(0, size($handles) - 1) AS i
CALL (i) {
  MATCH (a:Account)
  USING INDEX a:Account(handle_folded)
  WHERE a.handle_folded = toLower(normalize($handles[i], NFKC)) AND a.network = coalesce($networks[i], a.network)
  RETURN a.key AS key
  ORDER BY key
  LIMIT 2
}
RETURN i, collect(key) AS found
