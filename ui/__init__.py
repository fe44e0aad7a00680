"""The touch screen. README.md says what will live here."""
