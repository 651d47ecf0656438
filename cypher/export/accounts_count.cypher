// answers: How many accounts are there?
// column: accounts INTEGER accounts
// mode: read
MATCH (:Account)
RETURN count(*) AS accounts
