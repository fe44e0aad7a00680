"""The instrument: everything that makes, shapes and plays sound. Runs without torch, a screen or a board."""

__version__ = "0.1.0"
