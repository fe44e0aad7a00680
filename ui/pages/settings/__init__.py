"""The page of settings and health: a list of sections, each a panel in a file of its own."""
