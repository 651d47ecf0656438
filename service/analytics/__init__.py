"""Arrays in, arrays out, no I/O: graph building, communities, measures, scores, evidence."""
