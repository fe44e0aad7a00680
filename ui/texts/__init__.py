"""Every text of the screen, in one table, ready for translation: `text("play.latch")`, `text("voices", n=3)`.

Keys are `where.what`. Words that come from the engine (names, reports, refusals) are shown as they come.
"""

from ui.texts.english import ENGLISH

__all__ = ["ENGLISH", "text"]


def text(key: str, /, **values: object) -> str:
    """The text of a key with its values put in. Raises KeyError for a key or a value that is missing: a defect, which
    a test finds by reading every key in the sources."""
    words = ENGLISH[key]
    return words.format(**values) if values else words
