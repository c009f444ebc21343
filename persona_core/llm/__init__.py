"""The local model server: whether it is there, and what it has."""
