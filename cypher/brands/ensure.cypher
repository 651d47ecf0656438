// answers: Creates brands that are not in the graph yet, with nothing known of them.
// parameter: keys LIST<STRING> keys of brands
// parameter: v INTEGER graph version of this change
// column: created INTEGER how many were not there
// mode: write
// index: brand_key
UNWIND $keys AS key
MERGE (b:Brand {key: key})
ON CREATE SET b.v = $v
RETURN count(CASE WHEN b.v = $v THEN 1 END) AS created
