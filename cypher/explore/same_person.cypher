// answers: Which accounts belong to the same person, and how many people do they reach together?
// group: Accounts
// parameter: most INTEGER how many persons at most
// default: most 20
// column: person STRING key of the person: declared, or from a customer list, never inferred
// column: accounts LIST<STRING> keys of the accounts
// column: handles LIST<STRING> handles of the same, empty where unknown
// column: networks LIST<STRING> networks they are in
// column: followers INTEGER different accounts that follow any of them, their own not counted
// column: shared INTEGER how many of these follow more than one
// mode: read
// index: person_key
// cost: one look at each person, and at each follower of the accounts that are shown
MATCH (p:Person)
USING INDEX p:Person(key)
WHERE p.key >= ''
MATCH (p)-[:HAS]->(a:Account)
// Who opted out is not named, and neither is what else belongs to the same person.
WITH DISTINCT p, a ORDER BY a.key
WITH p, collect(a) AS accounts
WHERE size(accounts) > 1 AND none(a IN accounts WHERE (coalesce(a.opted_out, false) OR a.erasure_asked_at IS NOT NULL))
CALL (accounts) {
  UNWIND accounts AS a
  WITH DISTINCT a.network AS network ORDER BY network
  RETURN collect(network) AS networks
}
WITH p, accounts, networks ORDER BY size(networks) DESC, size(accounts) DESC, p.key LIMIT $most
CALL (accounts) {
  UNWIND accounts AS a
  MATCH (a)<-[:FOLLOWS]-(j:Account)
  WHERE NOT j IN accounts
  WITH j, count(*) AS ties
  RETURN count(j) AS followers, count(CASE WHEN ties > 1 THEN 1 END) AS shared
}
RETURN
  p.key AS person, [a IN accounts | a.key] AS accounts, [a IN accounts | coalesce(a.handle, '')] AS handles,
  networks, followers, shared
ORDER BY size(networks) DESC, size(accounts) DESC, person
