"""Ways to see one person: candidate profiles, what each is worth, and what a generator learns from that."""
