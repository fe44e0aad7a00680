"""Texts of what lies above all pages: connection, board, lock."""

TEXTS: dict[str, str] = {
    "value.one.voices": "1 voice",
    "value.one.octaves": "1 octave",
}
