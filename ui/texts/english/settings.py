"""Texts of the page of settings."""

TEXTS: dict[str, str] = {}
