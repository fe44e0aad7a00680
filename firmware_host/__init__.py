"""Host side of the encoder board. README.md says what will live here."""
