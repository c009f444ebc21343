"""Stand-ins and small worlds for the tests."""
