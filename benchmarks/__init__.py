"""What takes too long for the tests: `python -m benchmarks.NAME [--quick] [--json FILE]`, a table for people, JSON for machines."""
