"""Which font shows a text, and what of it can be shown: names come from files and people, in every script.

Kivy draws a text in one font and knows no other to turn to. So the font is chosen for the text: Kivy's Roboto where it
has all letters, else the one that has most of them. Letters that it lacks become SIGN, so that no name is invisible.
What the machine's fonts have is asked for once, in a thread (30 ms to 1 s); until then Latin is Roboto's, and all else
DejaVu's, which comes with Kivy. Nothing here waits, and nothing raises, whatever the text is.
"""

import threading
import unicodedata
from functools import lru_cache
from pathlib import Path

import kivy  # type: ignore[import-untyped]

from ui.font_list import FontFile, list_fonts

PLAIN = "Roboto"
WIDE = "DejaVuSans"
SIGN, SIGN_OF_ANY_FONT = "□", "?"
LONGEST_READ = 1000
"""Letters of a text that are looked at: a hostile name is not to cost more than a frame."""
MOST_COUNTED = 64
"""Different letters beyond Latin by which a font is chosen."""
MOST_MARKS = 2
"""Combining marks on one letter; piles of them cover the lines above."""
_OWN = Path(kivy.kivy_data_dir) / "fonts"
# Letters without ink: Hangul's fillers and Braille's empty cell.
_BLANK = str.maketrans(dict.fromkeys("\u115f\u1160\u3164\uffa0\u2800", " "))


class _Known:
    """What the machine's fonts have. fonts: [] until it is known; the first two are Kivy's own."""

    def __init__(self) -> None:
        self.fonts: list[FontFile] = []
        self.found = threading.Event()
        self._thread: threading.Thread | None = None

    def look(self) -> None:
        """Begin, once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._look, name="fonts", daemon=True)
            self._thread.start()

    def _look(self) -> None:
        fonts = list_fonts([_OWN / "Roboto-Regular.ttf", _OWN / "DejaVuSans.ttf"])
        if len(fonts) >= 2 and fonts[0].has("A"):
            self.fonts = fonts
        self.found.set()


def look_for_fonts() -> threading.Event:
    """Begin to look which letters the machine's fonts have; set when that is known."""
    _KNOWN.look()
    return _KNOWN.found


def font_for(words: str) -> str:
    """Name of a font for Kivy that has the letters of these words, or most of them."""
    return shown(words, LONGEST_READ)[1]


def short(words: str, most: int) -> str:
    """In one line, at most `most` letters (at least 1); what is cut off ends with an ellipsis.

    Control characters and marks that turn the direction of reading are removed; letters that no font of this machine
    has become SIGN. Only "" becomes "".
    """
    return shown(words, most)[0]


def shown(words: str, most: int) -> tuple[str, str]:
    """What `short` gives, and the font that has every letter of it."""
    look_for_fonts()
    return _shown(words, max(most, 1), bool(_KNOWN.fonts))


@lru_cache(maxsize=4096)
def _shown(words: str, most: int, known: bool) -> tuple[str, str]:
    cut = _cut(words, most)
    if not known:
        return cut, PLAIN if all(ord(letter) < 0x180 or letter == "…" for letter in cut) else WIDE
    best = _best(cut)
    return "".join(_drawable(letter, _KNOWN.fonts[best]) for letter in cut), _name(best)


def _drawable(letter: str, font: FontFile) -> str:
    if letter == " " or font.has(letter):
        return letter
    if unicodedata.category(letter)[0] == "M":
        return ""
    return SIGN if font.has(SIGN) else SIGN_OF_ANY_FONT


def _cut(words: str, most: int) -> str:
    # NFC first: what is one letter is not to count as a letter and its marks.
    composed = unicodedata.normalize("NFC", words[:LONGEST_READ]).translate(_BLANK)
    letters: list[str] = []
    marks = 0
    for letter in composed:
        kind = unicodedata.category(letter)
        if kind[0] == "M":
            marks += 1
            if letters and marks <= MOST_MARKS:
                letters.append(letter)
            continue
        marks = 0
        if kind in ("Cc", "Cf") and not letter.isspace():
            continue
        # A lone half of a pair has no UTF-8, and Kivy would raise; unassigned letters have no shape.
        letters.append(SIGN if kind in ("Cs", "Cn", "Co") else letter)
    line = " ".join("".join(letters).split()) or (SIGN if words else "")
    if len(line) <= most and len(words) <= LONGEST_READ:
        return line
    return f"{line[: most - 1].rstrip()}…"


def _best(cut: str) -> int:
    """Number of the font that has most of the letters; of equals one that has SIGN, then the first."""
    fonts = _KNOWN.fonts
    if all(letter == " " or fonts[0].has(letter) for letter in cut):
        return 0
    counts = [0] * len(fonts)
    for letter in list(dict.fromkeys(cut))[:MOST_COUNTED]:
        for number in _having(letter):
            counts[number] += 1
    return max(range(len(fonts)), key=lambda number: (counts[number], fonts[number].has(SIGN), -number))


@lru_cache(maxsize=4096)
def _having(letter: str) -> tuple[int, ...]:
    return tuple(number for number, font in enumerate(_KNOWN.fonts) if font.has(letter))


@lru_cache(maxsize=512)
def _name(number: int) -> str:
    """What Kivy knows a font by, from now on."""
    if number == 0:
        return PLAIN
    from kivy.core.text import LabelBase  # type: ignore[import-untyped]

    name = WIDE if number == 1 else f"system-{number}"
    LabelBase.register(name, _KNOWN.fonts[number].path)
    return name


def _register_wide() -> None:
    from kivy.core.text import LabelBase

    LabelBase.register(WIDE, str(_OWN / "DejaVuSans.ttf"))


_KNOWN = _Known()
_register_wide()
