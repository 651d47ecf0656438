// answers: What is written in words on runs, communities, their names, definitions, schedules, measures of analysts.
// column: node INTEGER id of the node
// column: properties MAP its properties
// mode: read
// index: run_id
// index: community_id_run
// index: community_name_id
// index: definition_id
// index: schedule_id
// index: own_measure_name
CALL () {
  MATCH (x:Run) USING INDEX x:Run(id) WHERE x.id >= '' RETURN x
  UNION ALL
  MATCH (x:Community) USING INDEX x:Community(id, run) WHERE x.id >= '' AND x.run IS NOT NULL RETURN x
  UNION ALL
  MATCH (x:CommunityName) USING INDEX x:CommunityName(id) WHERE x.id >= '' RETURN x
  UNION ALL
  MATCH (x:Definition) USING INDEX x:Definition(id) WHERE x.id >= '' RETURN x
  UNION ALL
  MATCH (x:Schedule) USING INDEX x:Schedule(id) WHERE x.id >= '' RETURN x
  UNION ALL
  MATCH (x:OwnMeasure) USING INDEX x:OwnMeasure(name) WHERE x.name >= '' RETURN x
}
RETURN id(x) AS node, properties(x) AS properties
