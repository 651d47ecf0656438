"""Programs that measure Entourage beside its peers, on the same work in one run. See docs/benchmarks.md."""
