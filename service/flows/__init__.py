"""Use cases, one a module: each knows two rooms or more and does one thing."""
