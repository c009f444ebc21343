"""How good it is: the demo world's truth, which nothing else may read; protocols and metrics as they come."""
