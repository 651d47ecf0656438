"""For analysts: a connection to the graph, questions as DataFrames, and pictures."""
