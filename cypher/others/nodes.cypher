// answers: Values of properties of all nodes with a label, in a graph of somebody else's making.
// parameter: label STRING the label
// parameter: properties LIST<STRING> names of the properties
// column: values LIST<ANY> their values, in this order
// mode: read
MATCH (n:$($label))
RETURN [property IN $properties | n[property]] AS values
