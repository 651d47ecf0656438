// answers: What is known of one account: as export/accounts says it, and all its properties as they are stored.
// parameter: key STRING the account's key
// column: account STRING key of the account
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
// column: followers_complete_at INTEGER of when a complete list of its followers is, in milliseconds since 1970 UTC
// column: stored MAP all its properties
// mode: read
// index: account_key
MATCH (a:Account {key: $key})
RETURN
  a.key AS account, a.handle AS handle, a.name AS name, a.bio AS bio, a.lang AS lang, a.location AS location,
  a.created_at.epochMillis AS created_at, a.followers AS followers, a.email_sha256 AS email_sha256,
  a.opted_out AS opted_out, a.erasure_asked_at.epochMillis AS erasure_asked_at, a.said AS said,
  a.followers_complete_at.epochMillis AS followers_complete_at, a {.*} AS stored
