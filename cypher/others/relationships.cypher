// answers: Values of properties of all relationships of a type, and of the nodes at their ends, in a graph of somebody else's making.
// parameter: type STRING the type
// parameter: start LIST<STRING> names of properties of the node where it starts
// parameter: own LIST<STRING> names of properties of its own
// parameter: end LIST<STRING> names of properties of the node where it ends
// column: values LIST<ANY> their values, in this order
// mode: read
MATCH (a)-[r:$($type)]->(b)
RETURN
  [property IN $start | a[property]] + [property IN $own | r[property]] + [property IN $end | b[property]] AS values
