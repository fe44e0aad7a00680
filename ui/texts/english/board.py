"""Texts of what lies above all pages: connection, board, lock."""

TEXTS: dict[str, str] = {}
