"""A patch whose instruments are not all there plays all the same, and keeps their names."""

import pytest

from synth.control.corners import Corner
from synth.control.patch import Patch
from synth.control.patch_resolve import nearest_instrument, resolve

AVAILABLE = {
    "acoustic-guitar": "guitar",
    "alto-sax": "reed",
    "cello": "string",
    "celesta": "mallet",
    "choir": "vocal",
    "clarinet": "reed",
    "electric-piano": "keyboard",
    "finger-bass": "bass",
    "flute": "flute",
    "grand-piano": "keyboard",
    "saw-lead": "synth_lead",
    "strings": "string",
}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("flute", "flute"),
        ("Flute", "flute"),
        ("grand_piano 2", "grand-piano"),
        ("elctric-piano", "electric-piano"),
        ("my grand piano", "grand-piano"),
        ("bass-clarinet", "clarinet"),
        ("tenor-sax", "alto-sax"),
        ("keyboard_acoustic_004", "electric-piano"),
        ("guitar_electronic_028", "acoustic-guitar"),
        ("string_acoustic_012", "cello"),
        ("xylophone", "celesta"),
        ("voices", "choir"),
        ("theremin", None),
        ("名前", None),
        ("123", None),
    ],
)
def test_the_nearest(wanted: str, found: str | None) -> None:
    assert nearest_instrument(wanted, AVAILABLE) == found


def test_a_missing_instrument_is_replaced_in_words_and_the_patch_stays() -> None:
    patch = Patch(name="Glass", corners=("flute", "bass-clarinet", "theremin", None))
    instruments, warnings = resolve(patch, AVAILABLE)
    assert instruments == {Corner.NW: "flute", Corner.NE: "clarinet", Corner.SW: None, Corner.SE: None}
    end = "and the patch keeps the name"
    assert warnings == (
        f"patch Glass, corner NE: there is no instrument bass-clarinet; clarinet stands in for it, {end}",
        f"patch Glass, corner SW: there is no instrument theremin; the corner is silent, {end}",
    )


def test_without_any_instrument_there_is_silence() -> None:
    instruments, warnings = resolve(Patch(), {})
    assert list(instruments.values()) == [None] * 4
    assert len(warnings) == 4
