// answers: Which run do readers see by default, and whom may no answer name?
// column: id STRING the run's id; null before the first run was published
// column: names_v INTEGER raised with each name that people give to a community; null before the first
// column: masks_v INTEGER raised whenever it changes which accounts answers may name; null before the first
// mode: read
// index: current_id
// index: graph_id
MATCH (g:Graph {id: 1})
OPTIONAL MATCH (c:Current {id: 1})
RETURN c.run AS id, c.names_v AS names_v, g.masks_v AS masks_v
