// answers: Which accounts got unusually many followers on one day?
// group: Manipulation
// parameter: least INTEGER at least so many on the day
// default: least 5
// parameter: times INTEGER at least so many times what is usual on its other days
// default: times 10
// parameter: most INTEGER how many at most
// default: most 20
// column: account STRING key of the account
// column: handle STRING handle of the same, null where unknown
// column: day DATE the day (UTC)
// column: gained INTEGER accounts that began to follow it on that day and still do
// column: dated INTEGER its followers of whom it is known since when
// column: usual FLOAT how many it gained on an average day from its first follower on, the day itself left out
// column: share FLOAT gained as a share of dated
// column: share_of_all FLOAT what share of all such follows of the graph that day has: of a list that was imported with one time it is large, too
// column: unseen INTEGER of those who came, those that were never seen to post, to respond or to engage
// mode: read
// index: account_key
// index: run_id
// cost: one look at each follow
MATCH (current:Current)
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
WITH date(r.as_of) AS today
// A list of all followers says who follows, and not since when.
CALL (today) {
  MATCH (a:Account)
  USING INDEX a:Account(key)
  WHERE a.key >= ''
  MATCH (a)<-[f:FOLLOWS]-(j:Account)
  WHERE f.at IS NOT NULL AND j <> a AND NOT coalesce(f.at = a.followers_complete_at, false)
  WITH today, date(f.at) AS day, count(*) AS begun
  WHERE day <= today
  RETURN collect({day: day, begun: begun}) AS everywhere, sum(begun) AS all
}
MATCH (a:Account)
USING INDEX a:Account(key)
WHERE a.key >= '' AND NOT (coalesce(a.opted_out, false) OR a.erasure_asked_at IS NOT NULL) AND COUNT { (a)<-[:FOLLOWS]-() } >= $least
CALL (a, today) {
  MATCH (a)<-[f:FOLLOWS]-(j:Account)
  WHERE f.at IS NOT NULL AND j <> a AND NOT coalesce(f.at = a.followers_complete_at, false)
  WITH today, date(f.at) AS day, count(*) AS gained
  WHERE day <= today
  RETURN collect({day: day, gained: gained}) AS days, min(day) AS first, sum(gained) AS dated
}
WITH a, days, dated, everywhere, all, duration.inDays(first, today).days AS others
UNWIND days AS one
WITH a, one.day AS day, one.gained AS gained, dated, everywhere, all, others
WHERE gained >= $least
WITH
  a, day, gained, dated, CASE WHEN others > 0 THEN toFloat(dated - gained) / others ELSE 0.0 END AS usual,
  toFloat(gained) / dated AS share,
  toFloat(head([one IN everywhere WHERE one.day = day | one.begun])) / all AS share_of_all
// Where the day stands out as much for everybody, the account is nothing special.
WHERE gained >= $times * usual AND share >= 3 * share_of_all
WITH a, day, gained, dated, usual, share, share_of_all ORDER BY gained DESC, share DESC, a.key, day LIMIT $most
RETURN
  a.key AS account, a.handle AS handle, day, gained, dated, usual, share, share_of_all,
  COUNT {
    MATCH (a)<-[f:FOLLOWS]-(j:Account)
    WHERE
      f.at IS NOT NULL AND j <> a AND NOT coalesce(f.at = a.followers_complete_at, false)
      AND date(f.at) = day
      AND NOT EXISTS { (j)-[:POSTED|RESPONDED|ENGAGED]->() }
  } AS unseen
ORDER BY gained DESC, share DESC, account, day
