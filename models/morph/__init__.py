"""Is a path between two instruments a good one? Measured over a fixed list of 40 pairs, against three baselines."""
