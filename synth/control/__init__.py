"""What a player can ask for: events, parameters, corners, and how MIDI says them."""
