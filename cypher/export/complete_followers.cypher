// answers: Of which accounts is a complete list of followers known, and of when? In order of their keys.
// column: account STRING key of who is followed
// column: at INTEGER when, in milliseconds since 1970 UTC
// mode: read
// index: account_key
MATCH (a:Account)
USING INDEX a:Account(key)
WHERE a.key >= '' AND a.followers_complete_at IS NOT NULL
RETURN a.key AS account, a.followers_complete_at.epochMillis AS at
ORDER BY account
