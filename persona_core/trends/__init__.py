"""Trends: how often people come to each item, what that will be next, how sure that is, and why, in words the numbers bear out."""
