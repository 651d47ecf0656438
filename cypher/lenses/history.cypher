// answers: What did the lenses of published runs say of an account, the earliest first?
// parameter: key STRING the account's key
// parameter: names LIST<STRING> properties of what lenses say
// column: run STRING the run's id
// column: as_of ZONED DATETIME until when the data went; null where nothing had a time
// column: finished_at ZONED DATETIME when the run was done
// column: values LIST<FLOAT> the properties in their order, null where absent
// mode: read
// index: account_key
MATCH (:Account {key: $key})-[s:SCORED]->(r:Run)
WHERE r.state = 'done' AND r.publish AND r.removed_at IS NULL
RETURN r.id AS run, r.as_of AS as_of, r.finished_at AS finished_at, [name IN $names | s[name]] AS values
ORDER BY finished_at, run
