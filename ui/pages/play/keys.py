"""Where the keys of a keyboard are, and which one a finger is on. Pure geometry, in shares 0..1 of its area.

x from west to east, y from south (where the player is) to north. White keys share the width; a black key lies on the
border of two, as on a piano: those of C# and D# and of F# to A# are moved apart, so that they look even.
"""

from typing import NamedTuple

WHITE_STEPS = (0, 2, 4, 5, 7, 9, 11)
NAMES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
BLACK_WIDTH, BLACK_LENGTH = 0.64, 0.6
"""Of a white key's; a piano has 0.58 and 0.63, but a finger's tip is 9 mm wide."""
_SHIFTS = {1: -0.1, 3: 0.1, 6: -0.14, 8: 0.0, 10: 0.14}
"""Of a white key's width, from the border, for each black key by its step above C."""
SOFTEST, LOUDEST = 30, 127
HIGHEST = 127


class KeyArea(NamedTuple):
    """A key's place."""

    key: int
    black: bool
    left: float
    right: float
    bottom: float
    top: float

    def has(self, x: float, y: float) -> bool:
        return self.left <= x < self.right and self.bottom <= y <= self.top


def is_black(key: int) -> bool:
    """Of a MIDI key."""
    return key % 12 not in WHITE_STEPS


def name_of(key: int) -> str:
    """Of a MIDI key: "C4" is 60."""
    return f"{NAMES[key % 12]}{key // 12 - 1}"


def whites_from(lowest: int, n_white: int) -> list[int]:
    """So many white keys upwards, fewer where MIDI's keys end. A black `lowest` counts as the white one below it."""
    first = lowest - 1 if is_black(lowest) else lowest
    return [key for key in range(first, HIGHEST + 1) if not is_black(key)][:n_white]


def areas(lowest: int, n_white: int) -> list[KeyArea]:
    """Of every key of a keyboard that begins with the white key `lowest` and has `n_white` white keys: the white ones
    first, so that what is drawn later lies above."""
    whites = whites_from(lowest, n_white)
    width = 1.0 / n_white
    found = [KeyArea(key, False, i * width, (i + 1) * width, 0.0, 1.0) for i, key in enumerate(whites)]
    for i, white in enumerate(whites[:-1]):
        black = white + 1
        if is_black(black):
            centre = (i + 1 + _SHIFTS[black % 12]) * width
            half = BLACK_WIDTH * width / 2.0
            found.append(KeyArea(black, True, centre - half, centre + half, 1.0 - BLACK_LENGTH, 1.0))
    return found


def key_at(keys: list[KeyArea], x: float, y: float) -> KeyArea | None:
    """The key under a finger: the black one where it lies on a white one; None beside the keyboard."""
    return next((area for area in reversed(keys) if area.has(x, y)), None)


def velocity_at(area: KeyArea, y: float) -> int:
    """How hard: the nearer to the player's end of the key, the louder, SOFTEST..LOUDEST."""
    depth = (area.top - y) / (area.top - area.bottom)
    return round(SOFTEST + (LOUDEST - SOFTEST) * min(max(depth, 0.0), 1.0))


def n_white_keys(width_px: float, least_px: float) -> int:
    """So many white keys of at least that width; an octave at least, where there is room for half of it."""
    return int(min(max(width_px // max(least_px, 1.0), 5), 52))
