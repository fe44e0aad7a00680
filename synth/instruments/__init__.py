"""Instruments: measuring a recording, the file format, the library."""
