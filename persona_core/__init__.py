"""Personascope's engine: from reviews to personas, and from a profile to recommendations with their reasons."""

__version__ = "0.1.0"
