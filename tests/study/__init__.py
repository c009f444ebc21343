"""User studies: their design, who gets what, and that nothing is lost or said twice."""
