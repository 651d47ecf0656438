// answers: Writes what accounts say of themselves.
// parameter: keys LIST<STRING> keys of accounts
// parameter: befores LIST<STRING> their texts as they were read
// parameter: texts LIST<STRING> what they say
// parameter: v INTEGER graph version of this change
// mode: write
// index: account_key
UNWIND range(0, size($keys) - 1) AS i
MATCH (a:Account {key: $keys[i]})
WHERE a.bio = $befores[i]
SET a.bio = $texts[i], a.v = $v
