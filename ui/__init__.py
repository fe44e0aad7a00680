"""The touch screen, a client of the engine. README.md is its page; `python -m ui` starts it."""
