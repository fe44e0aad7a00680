"""Texts of the play page."""

TEXTS: dict[str, str] = {}
