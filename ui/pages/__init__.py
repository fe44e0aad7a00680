"""The screen's five pages, a package each."""
