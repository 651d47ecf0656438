// answers: Whom does an account endorse, and whom no longer?
// parameter: key STRING the account's key
// column: account STRING key of who endorses
// column: endorsed STRING key of who is endorsed
// column: topic STRING about what, empty for everything
// column: withdrawn BOOLEAN whether it was withdrawn
// column: said LIST<INTEGER> when, in milliseconds since 1970 UTC
// mode: read
// index: account_key
MATCH (a:Account {key: $key})-[r:ENDORSES|WITHDREW]->(b:Account)
RETURN
  a.key AS account, b.key AS endorsed, r.topic AS topic, type(r) = 'WITHDREW' AS withdrawn, [r.at.epochMillis] AS said
