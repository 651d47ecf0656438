// answers: How many accounts and follows does the graph have?
// column: accounts INTEGER accounts
// column: follows INTEGER follows
// mode: read
CALL () {
  MATCH (a:Account)
  RETURN count(a) AS accounts
}
CALL () {
  MATCH (:Account)-[f:FOLLOWS]->()
  RETURN count(f) AS follows
}
RETURN accounts, follows
