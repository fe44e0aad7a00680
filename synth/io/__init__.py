"""The edges of the instrument: sound out, MIDI in, files in and out. Each device library appears in one file."""
