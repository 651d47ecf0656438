// answers: All brands, as parallel columns.
// column: key LIST<STRING> key of the brand
// column: name LIST<STRING> its name, empty where unknown
// mode: read
// index: brand_key
MATCH (b:Brand)
USING INDEX b:Brand(key)
WHERE b.key >= ''
RETURN collect(b.key) AS key, collect(coalesce(toString(b.name), '')) AS name
