"""The sound itself: decoder, oscillators, noise, voices and the engine."""
