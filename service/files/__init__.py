"""Files people bring: reading follows, reporting the lines that cannot be used."""
