"""The Study desk: where a researcher designs a study, looks at it, runs it, reads what it found, and hands it over."""
