"""Host side of the encoder board. README.md says which file does what."""
