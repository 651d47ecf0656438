"""The journal of a machine: what was acknowledged, until it is in the graph, and what became of it."""
