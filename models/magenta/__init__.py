"""Magenta's published NSynth checkpoint: its file format, its variables, and what Tetrad makes of them."""
