"""Texts: their sentences, the quotes found again in them, their words and phrases, and the base encoder."""
