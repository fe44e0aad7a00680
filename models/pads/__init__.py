"""Pads: rendered from the engine or the WaveNet decoder, one or a whole set of them."""
