"""Profiles: one person's taste as text and phrases that they can read and change."""
