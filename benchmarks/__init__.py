"""What takes too long for the tests: `python -m benchmarks.NAME [--quick] [--json FILE]` prints a table and writes JSON."""
