// answers: Which communities overlap: accounts that belong to both, and audiences that listen to both?
// group: Between communities
// parameter: least INTEGER an account is in the audience of a community when it follows so many of its members
// parameter: most INTEGER how many pairs of communities at most, those with most audience in common first
// default: least 3
// default: most 20
// column: one STRING id of a community
// column: other STRING id of another one; each pair is named once
// column: members_of_both INTEGER accounts that belong to both, to at least one of them second
// column: audience_of_one INTEGER accounts, members or not, that follow enough members of the one
// column: audience_of_other INTEGER the same of the other
// column: audience_of_both INTEGER accounts that are in both audiences
// column: share FLOAT share, 0 to 1, of the smaller audience that is in the other, too; null where one has none
// mode: read
// index: current_id
// index: run_id
// cost: all follows of members of communities, and of each account the pairs of communities that it listens to
MATCH (current:Current {id: 1})
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
CALL (r) {
  MATCH (r)-[:FOUND]->(c:Community {level: 0, kind: 'found'})<-[:MEMBER_OF {primary: true}]-(:Account)<-[:FOLLOWS]-(a:Account)
  WITH a, c.id AS id, count(*) AS follows
  WHERE follows >= $least
  // A pair of an id with itself counts the audience of one.
  WITH a, collect(id) AS ids
  UNWIND ids AS one
  UNWIND ids AS other
  WITH one, other
  WHERE one <= other
  RETURN one, other, 1 AS listens, 0 AS belongs
  UNION ALL
  MATCH (r)-[:FOUND]->(c:Community {level: 0, kind: 'found'})<-[:MEMBER_OF]-(a:Account)
  WITH a, collect(c.id) AS ids
  UNWIND ids AS one
  UNWIND ids AS other
  WITH one, other
  WHERE one < other
  RETURN one, other, 0 AS listens, 1 AS belongs
}
WITH one, other, sum(listens) AS listens, sum(belongs) AS belongs
WITH one, collect({other: other, listens: listens, belongs: belongs}) AS pairs
WITH *, coalesce(head([pair IN pairs WHERE pair.other = one | pair.listens]), 0) AS of_one
UNWIND pairs AS pair
WITH pair.other AS other, collect({one: one, of_one: of_one, listens: pair.listens, belongs: pair.belongs}) AS pairs
WITH *, coalesce(head([pair IN pairs WHERE pair.one = other | pair.of_one]), 0) AS of_other
UNWIND pairs AS pair
WITH pair, other, of_other
WHERE pair.one <> other
RETURN
  pair.one AS one, other, pair.belongs AS members_of_both,
  pair.of_one AS audience_of_one, of_other AS audience_of_other, pair.listens AS audience_of_both,
  CASE WHEN pair.of_one > 0 AND of_other > 0
    THEN toFloat(pair.listens) / CASE WHEN pair.of_one < of_other THEN pair.of_one ELSE of_other END
  END AS share
ORDER BY audience_of_both DESC, members_of_both DESC, one, other
LIMIT $most
