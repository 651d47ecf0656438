// answers: Writes what is known of accounts that are in the graph. The lists are parallel: one account a position.
// parameter: account LIST<STRING> account keys
// parameter: handle LIST<STRING> handles
// parameter: name LIST<STRING> names
// parameter: bio LIST<STRING> what they say about themselves
// parameter: lang LIST<STRING> languages
// parameter: location LIST<STRING> where they say they are
// parameter: created_at LIST<INTEGER> when they were made, in milliseconds since 1970 UTC
// parameter: followers LIST<INTEGER> reported followers
// parameter: email_sha256 LIST<STRING> SHA-256 of e-mail addresses
// parameter: opted_out LIST<BOOLEAN> whether they opted out
// parameter: erasure_asked_at LIST<INTEGER> when they asked to be erased, in milliseconds since 1970 UTC
// parameter: said LIST<LIST> when its fields were said, in milliseconds
// parameter: v INTEGER graph version of this change
// mode: write
// index: account_key
UNWIND range(0, size($account) - 1) AS i
MATCH (a:Account {key: $account[i]})
SET
  a.handle = $handle[i],
  // What handles are looked up by: capitals and ways to write the same letter do not matter.
  a.handle_folded = toLower(normalize($handle[i], NFKC)),
  a.name = $name[i], a.bio = $bio[i], a.lang = $lang[i], a.location = $location[i],
  a.created_at = CASE WHEN $created_at[i] IS NOT NULL THEN datetime({epochMillis: $created_at[i]}) END,
  a.followers = $followers[i], a.email_sha256 = $email_sha256[i], a.opted_out = $opted_out[i],
  a.erasure_asked_at =
    CASE WHEN $erasure_asked_at[i] IS NOT NULL THEN datetime({epochMillis: $erasure_asked_at[i]}) END,
  a.said = $said[i], a.v = $v
