// answers: Which accounts have these e-mail addresses? Two at most of each: more than one is no answer.
// parameter: digests LIST<STRING> SHA-256 of e-mail addresses
// column: i INTEGER position in digests
// column: found LIST<STRING> keys of accounts
// mode: read
// index: account_email_sha256
UNWIND range(0, size($digests) - 1) AS i
CALL (i) {
  MATCH (a:Account)
  USING INDEX a:Account(email_sha256)
  WHERE a.email_sha256 = $digests[i]
  RETURN a.key AS key
  ORDER BY key
  LIMIT 2
}
RETURN i, collect(key) AS found
