"""Text to meaning: what a post says of a brand."""
