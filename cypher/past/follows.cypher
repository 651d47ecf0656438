// answers: Follows that are older than a time, as parallel columns: one row for each range of the followers' numbers.
// parameter: before INTEGER the time in milliseconds since 1970 UTC
// parameter: step INTEGER how many numbers make a row
// parameter: undated BOOLEAN whether follows without a time are among them
// column: source LIST<INTEGER> number of the follower
// column: target LIST<INTEGER> number of whom it follows
// column: latest INTEGER time of the latest of them in milliseconds since 1970 UTC, -1 where no time is known
// column: without_time INTEGER how many follows of these accounts have no time
// mode: read
// index: account_n
// index: graph_id
MATCH (g:Graph {id: 1})
UNWIND range(1, g.n, $step) AS first
CALL (first) {
  MATCH (a:Account)-[f:FOLLOWS]->(b:Account)
  USING INDEX a:Account(n)
  // collect() leaves out nulls: of what is not kept both ends, and of nothing else.
  WHERE
    a.n >= first AND a.n < first + $step AND b.n IS NOT NULL AND (f.at.epochMillis < $before OR f.at IS NULL)
  WITH a, b, f, f.at IS NOT NULL OR $undated AS kept
  RETURN
    collect(CASE WHEN kept THEN a.n END) AS source,
    collect(CASE WHEN kept THEN b.n END) AS target,
    coalesce(max(f.at.epochMillis), -1) AS latest,
    count(CASE WHEN f.at IS NULL THEN 1 END) AS without_time
}
RETURN source, target, latest, without_time
