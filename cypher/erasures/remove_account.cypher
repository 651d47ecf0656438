// answers: Removes an account that has no relationships any more, and persons that were nothing but this account.
// parameter: key STRING the account's key
// parameter: persons LIST<STRING> keys of the persons it was of
// column: accounts INTEGER 1 where it was there
// column: persons INTEGER how many persons were removed
// mode: write
// index: account_key
// index: person_key
CALL () {
  MATCH (a:Account {key: $key})
  DELETE a
  RETURN count(*) AS accounts
}
CALL () {
  UNWIND $persons AS key
  MATCH (p:Person {key: key})
  WHERE NOT EXISTS { (p)-[:HAS]->() }
  DELETE p
  RETURN count(*) AS persons
}
RETURN accounts, persons
