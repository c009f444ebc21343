"""The pieces of the page of scenarios."""
