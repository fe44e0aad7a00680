"""Which instruments there are for a patch's corners, where the player does not have all that it names."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from synth.control.corners import Corner
from synth.control.patch import Patch

_NEAR = 0.75
"""Of difflib's ratio: one letter in four may be wrong (`elctric-piano`)."""
# Words of how, not of what: `keyboard_acoustic_004` is no acoustic guitar.
_QUALIFIERS = frozenset({"acoustic", "electric", "electronic", "synthetic", "grand", "muted", "section", "solo", "my"})
# Words of instruments' names that say a family; the families' own names are in the library's.
_FAMILY_WORDS = {
    "piano": "keyboard", "harpsichord": "keyboard", "clavinet": "keyboard", "rhodes": "keyboard", "keys": "keyboard",
    "bell": "mallet", "bells": "mallet", "chimes": "mallet", "vibes": "mallet", "xylophone": "mallet",
    "timpani": "mallet", "drum": "mallet", "steeldrum": "mallet",
    "sax": "reed", "saxophone": "reed", "bagpipe": "reed",
    "horn": "brass", "cornet": "brass", "flugelhorn": "brass", "euphonium": "brass",
    "piccolo": "flute", "whistle": "flute", "bottle": "flute", "pipe": "flute",
    "fiddle": "string", "strings": "string", "orchestra": "string", "ensemble": "string", "tremolo": "string",
    "voice": "vocal", "voices": "vocal", "aahs": "vocal", "singer": "vocal", "soprano": "vocal", "alto": "vocal",
    "lead": "synth_lead", "saw": "synth_lead", "square": "synth_lead", "pad": "synth_pad", "synth": "synth_pad",
    "lute": "guitar", "mandolin": "guitar", "ukulele": "guitar", "shamisen": "guitar",
}  # fmt: skip


class Resolved(NamedTuple):
    """What can be played of a patch's corners. instruments: by corner, None for silence; warnings: one line each."""

    instruments: dict[Corner, str | None]
    warnings: tuple[str, ...]


def resolve(patch: Patch, available: Mapping[str, str], corners: Iterable[Corner] = tuple(Corner)) -> Resolved:
    """Instruments for the corners, by default all. available: family by name, of all instruments there are.

    An instrument that is not there is replaced by the nearest: of a like name, else of one with its most telling word
    (the last, as in `bass-clarinet`), else the first of its family, as far as the name tells it; else by silence. The
    patch keeps its name: where the instrument arrives later, it sounds as it was meant.
    """
    instruments: dict[Corner, str | None] = {}
    warnings = []
    for corner in corners:
        wanted = patch.corners[corner]
        found = None if wanted is None else nearest_instrument(wanted, available)
        instruments[corner] = found
        if wanted is not None and found != wanted:
            stands = "the corner is silent" if found is None else f"{found} stands in for it"
            warnings.append(
                f"patch {patch.name}, corner {corner.name}: there is no instrument {wanted}; {stands}, and the patch "
                "keeps the name"
            )
    return Resolved(instruments, tuple(warnings))


def nearest_instrument(wanted: str, available: Mapping[str, str]) -> str | None:
    """The instrument of that name, or the nearest; None where the name tells nothing."""
    if wanted in available:
        return wanted
    words = _words(wanted)
    by_words = {" ".join(_words(name)): name for name in sorted(available, reverse=True)}
    close = difflib.get_close_matches(" ".join(words), by_words, n=1, cutoff=_NEAR)
    if close:
        return by_words[close[0]]
    for word in [word for word in reversed(words) if word not in _QUALIFIERS]:
        sharing = sorted(name for name in available if word in _words(name))
        if sharing:
            # Of several pianos the one with more of the other words, then the one whose name has least besides.
            return min(sharing, key=lambda name: (-len(set(words) & set(_words(name))), len(_words(name)), name))
        family = _family(word, available)
        if family is not None:
            return min(
                (name for name in available if available[name] == family),
                key=lambda name: (-len(set(words) & set(_words(name))), name),
            )
    return None


def _family(word: str, available: Mapping[str, str]) -> str | None:
    """The family that a word names, of those that have an instrument."""
    there = set(available.values())
    candidates = (word, word.removesuffix("s"), _FAMILY_WORDS.get(word, ""))
    return next((family for family in candidates if family in there), None)


def _words(name: str) -> list[str]:
    """Lower-case words: `Grand_Piano 2` is grand, piano."""
    return re.findall(r"[^\W\d_]+", name.casefold())
