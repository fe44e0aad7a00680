"""The page of the sound: every parameter of the engine's table."""
