"""Pads: notes rendered ahead over a grid of places on the surface, their file, and the engine that plays them."""
