"""Alignment: a profile becomes a vector that lies near the personas of what its person will like."""
