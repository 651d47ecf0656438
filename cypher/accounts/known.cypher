// answers: What is known of these accounts? The graph need not have all of them.
// parameter: account LIST<STRING> account keys
// column: i INTEGER position in account
// column: handle STRING handle
// column: name STRING name shown
// column: bio STRING what it says about itself
// column: lang STRING language
// column: location STRING where it says it is
// column: created_at INTEGER when it was made, in milliseconds since 1970 UTC
// column: followers INTEGER followers its network reports
// column: email_sha256 STRING SHA-256 of the e-mail address
// column: opted_out BOOLEAN whether it opted out
// column: erasure_asked_at INTEGER when it asked to be erased, in milliseconds since 1970 UTC
// column: said LIST<INTEGER> when its fields were said, in milliseconds
// mode: read
// index: account_key
UNWIND range(0, size($account) - 1) AS i
MATCH (a:Account {key: $account[i]})
RETURN
  i, a.handle AS handle, a.name AS name, a.bio AS bio, a.lang AS lang, a.location AS location,
  a.created_at.epochMillis AS created_at, a.followers AS followers, a.email_sha256 AS email_sha256,
  a.opted_out AS opted_out, a.erasure_asked_at.epochMillis AS erasure_asked_at, a.said AS said
