// answers: Which accounts say the same of themselves, and whom do they follow in common?
// group: Manipulation
// parameter: least INTEGER bios that at least so many accounts have
// default: least 10
// parameter: most INTEGER how many bios at most
// default: most 20
// column: bio STRING the bio, as the first of these accounts has it; case, spaces and common signs aside the others have the same
// column: accounts INTEGER how many accounts have it
// column: unseen INTEGER of these, those that were never seen to post, to respond or to engage
// column: keys LIST<STRING> keys of up to 10 of them
// column: followed LIST<STRING> keys of up to 5 accounts that most of them follow, and at least two do
// column: followed_by LIST<INTEGER> how many of them follow each of these
// mode: read
// index: account_key
// cost: one look at each account, and at each follow of those that are shown
MATCH (a:Account)
USING INDEX a:Account(key)
WHERE a.key >= '' AND a.bio IS NOT NULL
WITH
  a,
  reduce(
    text = toLower(a.bio), sign IN split(" \t\n\r.,;:!?'\"-_/()[]|·•…–—’*&+#@~", '') | replace(text, sign, '')
  ) AS text
// Of short ones many are alike by chance.
WHERE size(text) >= 12
WITH text, a ORDER BY a.key
WITH text, collect(a) AS everybody, collect(CASE WHEN NOT (coalesce(a.opted_out, false) OR a.erasure_asked_at IS NOT NULL) THEN a END) AS named
WHERE size(everybody) >= $least AND named <> []
WITH
  everybody, named, named[0].key AS first,
  size([
    a IN everybody
    WHERE NOT EXISTS { (a)-[:POSTED|RESPONDED|ENGAGED]->() }
  ]) AS unseen
ORDER BY unseen DESC, size(everybody) DESC, first
LIMIT $most
CALL (everybody) {
  UNWIND everybody AS a
  MATCH (a)-[:FOLLOWS]->(t:Account)
  WITH t, count(DISTINCT a) AS of_them
  WHERE of_them > 1 AND NOT (coalesce(t.opted_out, false) OR t.erasure_asked_at IS NOT NULL)
  WITH t, of_them ORDER BY of_them DESC, t.key LIMIT 5
  RETURN collect(t.key) AS followed, collect(of_them) AS followed_by
}
RETURN
  named[0].bio AS bio, size(everybody) AS accounts, unseen, [a IN named | a.key][..10] AS keys, followed, followed_by
ORDER BY unseen DESC, accounts DESC, first
