"""The page of patches: a grid of large names that load with one touch, and what can be done with what sounds."""
