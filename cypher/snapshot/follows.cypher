// answers: All follows, as parallel columns: one row for each range of the followers' numbers.
// parameter: first INTEGER lowest number of an account, where the first range begins
// parameter: last INTEGER highest number of an account
// parameter: step INTEGER how many numbers make a row
// parameter: stride INTEGER how far apart ranges begin: a multiple of step leaves some to other readers
// column: source LIST<INTEGER> number of the follower
// column: target_id LIST<INTEGER> id within Neo4j of the node that is followed
// column: weight LIST<FLOAT> weight of the tie
// column: day LIST<INTEGER> since when, in days since 1970 UTC, -1 where unknown, as of who is in a whole list
// column: latest INTEGER time of the latest of them in milliseconds since 1970 UTC, -1 where no time is known
// mode: read
// index: graph_id
// index: account_n
MATCH (g:Graph {id: 1})
WITH coalesce(g.complete_lists, false) AS any_lists
UNWIND range($first, $last, $stride) AS first
CALL (first, any_lists) {
  // An id stands in the relationship; b.n, and even whether b is an Account, would be looked up once a follow. So is
  // the time of a list of followers, which says that they follow and not since when, and few graphs have any.
  MATCH (a:Account)-[f:FOLLOWS]->(b)
  USING INDEX a:Account(n)
  WHERE a.n >= first AND a.n < first + $step
  RETURN
    collect(a.n) AS source,
    collect(id(b)) AS target_id,
    collect(coalesce(f.weight, 1.0)) AS weight,
    collect(CASE
      WHEN any_lists AND f.at = b.followers_complete_at THEN -1
      ELSE coalesce(f.at.epochMillis / 86400000, -1)
    END) AS day,
    coalesce(max(f.at.epochMillis), -1) AS latest
}
RETURN source, target_id, weight, day, latest
