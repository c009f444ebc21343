"""Personas: what a review says, who an item suits, and the index of them all."""
