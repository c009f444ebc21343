"""The program that writes the demo world in `data/demo/` from the authored blocks beside it.

Nothing in the engine imports this package: the engine reads the files it leaves behind.
"""
