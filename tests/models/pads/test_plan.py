"""How many notes a set has, and its settings file."""

import itertools
from pathlib import Path

import pytest

from models.pads.plan import PadSet, cell_key, cells, distinct_notes, first_pads, original_distinct, read_settings
from synth.control.corners import weights
from synth.errors import TetradError

NAMES = [tuple(f"{corner}{i}" for i in range(4)) for corner in ("a", "b", "c", "d")]
ORIGINAL = PadSet(tuple(NAMES))  # type: ignore[arg-type]
SETTINGS = """
corners = {nw = ["a", "b"], ne = ["c"], sw = ["d"], se = ["e"]}
resolution = 5
pitches = [48, 60]
seconds = 2
"""


def test_the_originals_whole_set() -> None:
    assert (ORIGINAL.n_pads, ORIGINAL.n_rows) == (256, 256 * 81 * 15)
    corners, edges, inside = 16, 4 * 16 * 7, 256 * 49
    assert distinct_notes(ORIGINAL) == 15 * (corners + edges + inside)
    # "nearly 120,000 audio samples" (its readme), with the 16 pitches of its settings.json
    sixteen = PadSet(ORIGINAL.corners, pitches=tuple(range(24, 85, 4)))
    assert original_distinct(sixteen) == 119_040
    assert original_distinct(ORIGINAL) == 111_600


def test_cells_of_one_key_have_the_same_weights_of_the_same_instruments() -> None:
    combinations = list(itertools.product("ab", "ac", "bd", "ad"))
    told: dict[object, dict[str, float]] = {}
    for corners in combinations:
        for y, x in cells(5):
            blend: dict[str, float] = {}
            for name, weight in zip(corners, weights(x / 4.0, y / 4.0), strict=True):
                blend[name] = blend.get(name, 0.0) + float(weight)
            blend = {name: weight for name, weight in sorted(blend.items()) if weight > 0.0}
            key = cell_key(corners, 5, y, x)  # type: ignore[arg-type]
            assert told.setdefault(key, blend) == pytest.approx(blend)
    assert len(told) < len(combinations) * 25


def test_the_first_pad_of_a_corner_is_the_first_with_its_instrument() -> None:
    combinations = ORIGINAL.combinations()
    first = first_pads(combinations, 9)
    assert first[cell_key(combinations[200], 9, 8, 0)] == next(
        number for number, corners in enumerate(combinations) if corners[0] == combinations[200][0]
    )


def test_settings_are_read_and_what_was_given_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "set.toml"
    path.write_text(SETTINGS)
    pads = read_settings(path, {"seed": 3, "resolution": 3})
    assert pads.corners == (("a", "b"), ("c",), ("d",), ("e",))
    assert (pads.resolution, pads.pitches, pads.seconds, pads.seed) == (3, (48, 60), 2.0, 3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tempo = 3", "unknown tempo"),
        ("resolution = 3", "no corners"),
        (SETTINGS + "velocity = 'loud'", "velocity is 'loud'"),
        (SETTINGS + "velocity = 200", "velocity is 200"),
        (SETTINGS + "normalise = 'all'", "normalise is 'all'"),
        (SETTINGS.replace("48, 60", "60, 48"), "pitches are"),
        (SETTINGS.replace("48, 60", "'C4'"), "pitches are"),
        (SETTINGS.replace("nw =", "north ="), "corners are"),
        (SETTINGS.replace('["c"]', "[]"), "corners are"),
        (SETTINGS.replace("seconds = 2", "seconds = 0.1"), r"0\.1 s"),
        ("corners = ", "cannot read"),
    ],
)
def test_settings_that_mean_nothing_are_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "set.toml"
    path.write_text(text)
    with pytest.raises(TetradError, match=said) as refused:
        read_settings(path, {})
    assert "\n" not in str(refused.value)
    with pytest.raises(TetradError, match="cannot read"):
        read_settings(tmp_path / "nothing.toml", {})
