"""Texts of the page of instruments."""

TEXTS: dict[str, str] = {}
