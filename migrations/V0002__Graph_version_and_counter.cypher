// Data: the singleton that holds the version of the graph, counts the accounts, and orders all writers.
MERGE (g:Graph {id: 1})
ON CREATE SET g.v = 0, g.n = 0;
