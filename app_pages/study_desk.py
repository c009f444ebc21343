"""Study desk: a study from its design to its results, for who has the token."""
