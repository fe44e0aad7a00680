"""Which font shows a text."""

PLAIN = "Roboto"


def font_for(words: str) -> str:
    """Name of a font for Kivy that has the letters of these words."""
    return PLAIN


def short(words: str, most: int) -> str:
    """In one line, at most `most` letters; what is cut off ends with an ellipsis."""
    line = " ".join(words.split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"
