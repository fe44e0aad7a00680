"""Numbers of patches: every name has one, no number has two, whatever is done."""

import random
from pathlib import Path

import pytest

from synth.control.patch_index import MOST_NUMBERS, PatchIndex, read_index
from synth.errors import TetradError


@pytest.mark.parametrize("seed", range(10))
def test_no_number_is_there_twice_and_none_is_lost(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    index = PatchIndex()
    names: set[str] = set()
    for _ in range(300):
        name, other = (f"patch {dice.randrange(40)}" for _ in range(2))
        kind = dice.randrange(5)
        if kind < 2:
            index.number_or_next(name)
            names.add(name)
        elif kind == 2:
            number = dice.choice((dice.randrange(50), dice.randrange(MOST_NUMBERS)))
            index.move(name, number)
            names.add(name)
            assert index.number(name.upper()) == number
        elif kind == 3 and name in names and other not in names:
            before = index.number(name)
            index.rename(name, other)
            names = names - {name} | {other}
            assert index.number(other) == before
        elif kind == 4:
            index.drop(name)
            names.discard(name)
        rows = list(index)
        assert {name for name, _ in rows} == names
        assert len({number for _, number in rows}) == len(rows)
    index.write(tmp_path / "index.json")
    assert read_index(tmp_path / "index.json") == index


def test_who_is_moved_away_gets_the_number_that_becomes_free() -> None:
    index = PatchIndex([("A", 0), ("B", 1)])
    index.move("B", 0)
    assert list(index) == [("B", 0), ("A", 1)]
    index.move("C", 0)  # C had none: B gets the lowest that is free
    assert list(index) == [("C", 0), ("A", 1), ("B", 2)]


def test_the_lowest_free_number_is_next() -> None:
    index = PatchIndex([("A", 0), ("B", 2)])
    assert (index.number_or_next("C"), index.number_or_next("c"), index.number_or_next("D")) == (1, 1, 3)


def test_accents_coded_in_two_ways_are_one_name() -> None:
    index = PatchIndex([("Caf\u00e9", 3)])
    assert index.number("CAFE\u0301") == 3


def test_a_full_index_says_so() -> None:
    index = PatchIndex((f"{number}", number) for number in range(MOST_NUMBERS))
    with pytest.raises(TetradError, match="all 16,384 patch numbers are taken"):
        index.number_or_next("one more")


@pytest.mark.parametrize("number", [-1, MOST_NUMBERS, True, 1.0, "1", None])
def test_what_is_no_number_is_refused(number: object) -> None:
    with pytest.raises(TetradError, match="patch number"):
        PatchIndex().move("A", number)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"format": "tetrad-patch-index", "version": 2, "numbers": {}}',
        '{"format": "tetrad-patch", "version": 1, "numbers": {}}',
        '{"format": "tetrad-patch-index", "version": 1, "numbers": []}',
        '{"format": "tetrad-patch-index", "version": 1, "numbers": {"A": -1}}',
        '{"format": "tetrad-patch-index", "version": 1, "numbers": {"A": 16384}}',
        '{"format": "tetrad-patch-index", "version": 1, "numbers": {"A": true}}',
        '{"format": "tetrad-patch-index", "version": 1, "numbers": {"A": 1.5}}',
        '{"format": "tetrad-patch-index", "version": 1, "numbers": {"A": 1, "B": 1}}',
        '{"format": "tetrad-patch-index", "version": 1, "numbers": {"A": 1, "a": 2}}',
        '{"format": "tetrad-patch-index", "version": 1, "numbers": {}, "more": 1}',
    ],
)
def test_a_damaged_index_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "index.json"
    path.write_text(content)
    with pytest.raises(TetradError, match="index"):
        read_index(path)
