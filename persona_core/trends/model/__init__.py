"""The trend model: a small language model that gives an item's popularity and the reason together, held to the trend signals.

Needs requirements-train.txt; what it said is kept as plain JSON (told.py) and read without it.
"""
