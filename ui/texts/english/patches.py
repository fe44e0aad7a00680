"""Texts of the page of patches."""

TEXTS: dict[str, str] = {}
