"""Holes to code: what a `?` can be so that the examples come out right. Nothing of the user's is run."""
