// answers: How often is a brand mentioned week by week, and how favourably, with what is paid for apart?
// group: Brands
// parameter: brand STRING the brand's key
// example: brand "nordlys"
// parameter: days INTEGER in the last so many days up to the end of the data, from a Monday on
// default: days 182
// column: week DATE Monday (UTC) of the week; each week is there, the last one up to the end of the data
// column: favourable INTEGER posts not known to be paid for that were said to speak well of the brand
// column: neutral INTEGER likewise neither well nor ill
// column: unfavourable INTEGER likewise ill
// column: unknown INTEGER likewise where nobody said; an analysis may read a stance from the text, which the graph does not keep
// column: paid INTEGER posts known to be paid for, whatever they say; in none of the other columns
// column: authors INTEGER different accounts that published any of these posts
// mode: read
// index: brand_key
// index: run_id
// cost: one look at each mention of the brand
MATCH (current:Current)
MATCH (r:Run {id: current.run})
USING INDEX r:Run(id)
MATCH (b:Brand {key: $brand})
USING INDEX b:Brand(key)
WITH b, date(r.as_of) AS today
WHERE today IS NOT NULL
WITH b, today, date.truncate('week', today - duration({days: $days - 1})) AS first
CALL (b, today, first) {
  MATCH (p:Post)-[m:MENTIONS]->(b)
  WITH b, today, first, p, m, date(p.at) AS day
  WHERE
    day >= first AND day <= today
    AND NOT EXISTS { MATCH (p)<-[:POSTED]-(own:Account) WHERE EXISTS { (own)-[:ACCOUNT_OF]->(b) } }
  WITH
    p, m.stance AS stance, coalesce(m.paid, false) OR coalesce(p.paid, false) AS paid,
    date.truncate('week', day) AS week
  OPTIONAL MATCH (a:Account)-[:POSTED]->(p)
  WITH week, p, stance, paid, collect(a) AS authors
  WITH
    week,
    count(CASE WHEN NOT paid AND stance = 1 THEN p END) AS favourable,
    count(CASE WHEN NOT paid AND stance = 0 THEN p END) AS neutral,
    count(CASE WHEN NOT paid AND stance = -1 THEN p END) AS unfavourable,
    count(CASE WHEN NOT paid AND stance IS NULL THEN p END) AS unknown,
    count(CASE WHEN paid THEN p END) AS paid,
    collect(authors) AS authors
  CALL (authors) {
    UNWIND authors AS some
    UNWIND some AS one
    RETURN count(DISTINCT one) AS different
  }
  RETURN collect({
    week: week, favourable: favourable, neutral: neutral, unfavourable: unfavourable, unknown: unknown, paid: paid,
    authors: different
  }) AS found
}
UNWIND range(0, duration.inDays(first, today).days / 7) AS i
WITH found, first + duration({days: 7 * i}) AS week
WITH week, head([one IN found WHERE one.week = week]) AS one
RETURN
  week, coalesce(one.favourable, 0) AS favourable, coalesce(one.neutral, 0) AS neutral,
  coalesce(one.unfavourable, 0) AS unfavourable, coalesce(one.unknown, 0) AS unknown, coalesce(one.paid, 0) AS paid,
  coalesce(one.authors, 0) AS authors
ORDER BY week
