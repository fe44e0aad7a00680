"""Texts of the page of the sound."""

TEXTS: dict[str, str] = {}
