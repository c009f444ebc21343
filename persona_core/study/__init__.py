"""User studies of explanations: their design, who gets which condition, what is asked, and what was done, kept as it happens."""
