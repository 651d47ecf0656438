"""Entourage: ambassador candidates for each community of a follower graph."""

__version__ = "0.1.0"
