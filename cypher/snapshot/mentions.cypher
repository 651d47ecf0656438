// answers: All mentions of brands in posts of known authors, as parallel columns: a row or more for each brand.
// parameter: step INTEGER about how many mentions make a row
// column: brand STRING key of the brand
// column: account LIST<INTEGER> number of the author
// column: post LIST<STRING> key of the post
// column: at LIST<INTEGER> when it was published, in milliseconds since 1970 UTC, -1 where unknown
// column: stance LIST<INTEGER> -1 unfavourable, 0 neutral, 1 favourable, 9 where unknown
// column: paid LIST<INTEGER> whether mention or post was paid for: 1 yes, 0 no, -1 where unknown
// column: answered LIST<INTEGER> 1 where an account of the brand replied to the post, else 0
// column: text LIST<STRING> text of the post where nobody stated a stance and it may be in English or French, else empty
// mode: read
// index: brand_key
MATCH (b:Brand)
USING INDEX b:Brand(key)
WHERE b.key >= ''
WITH
  b,
  1 + COUNT { (b)<-[:MENTIONS]-() } / $step AS parts,
  COLLECT { MATCH (own:Account)-[:ACCOUNT_OF]->(b) RETURN own } AS owners
CALL (b, parts, owners) {
  MATCH (a:Account)-[:POSTED]->(p:Post)-[m:MENTIONS]->(b)
  // collect() leaves out nulls, and the columns would no longer be parallel.
  WHERE a.n IS NOT NULL AND p.key IS NOT NULL
  WITH DISTINCT a, p, m, parts, owners
  RETURN
    a.n % parts AS part,
    collect(a.n) AS account,
    collect(p.key) AS post,
    collect(coalesce(p.at.epochMillis, -1)) AS at,
    collect(coalesce(m.stance, 9)) AS stance,
    collect(CASE WHEN m.paid OR p.paid THEN 1 WHEN NOT m.paid OR NOT p.paid THEN 0 ELSE -1 END) AS paid,
    collect(
      CASE WHEN any(own IN owners WHERE EXISTS { (own)-[:RESPONDED {kind: 'reply'}]->(p) }) THEN 1 ELSE 0 END
    ) AS answered,
    collect(
      CASE
        WHEN m.stance IS NULL AND (p.lang IS NULL OR left(toLower(p.lang), 2) IN ['en', 'fr']) THEN coalesce(p.text, '')
        ELSE ''
      END
    ) AS text
}
RETURN b.key AS brand, account, post, at, stance, paid, answered, text
