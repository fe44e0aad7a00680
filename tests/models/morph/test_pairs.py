"""The list of pairs, and the rule by which such a list is drawn."""

import tomllib
from collections import Counter
from itertools import combinations

import pytest

from models.morph.pairs import PAIRS_OF_KIND, choose_pairs, common_recorded_key, fixed_pairs
from models.ship import TABLE
from synth.errors import TetradError
from synth.instruments.format import Instrument
from tests.synth.voices.engine_parts import instrument, steady


def made(name: str, sustains: bool, *keys: int) -> Instrument:
    return instrument(*(steady({1: -20}, n_frames=60, pitch=key) for key in keys), sustains=sustains, name=name)


def test_the_list_is_of_shipped_instruments() -> None:
    shipped = {entry["name"] for entry in tomllib.loads(TABLE.read_text())["instrument"]}
    pairs = fixed_pairs()
    assert len(pairs) == sum(PAIRS_OF_KIND) == 40
    assert {name for pair in pairs for name in (pair.west, pair.east)} <= shipped
    assert len({frozenset((pair.west, pair.east)) for pair in pairs}) == 40
    assert all(pair.west != pair.east and 24 <= pair.key <= 96 for pair in pairs)


def test_a_limit_takes_some_of_every_part() -> None:
    few = fixed_pairs(5)
    assert len(few) == 5
    assert (few[0], few[-1]) == (fixed_pairs()[0], fixed_pairs()[-1])


def test_the_key_is_one_that_both_were_recorded_at() -> None:
    one, other = made("one", True, 40, 50, 72, 80), made("other", True, 40, 48, 72)
    assert common_recorded_key(one, other) == 72
    assert common_recorded_key(one, made("third", True, 41, 73)) is None


def test_every_kind_has_its_pairs_and_no_instrument_is_preferred() -> None:
    instruments = [made(f"i{n}", n % 2 == 0, 60, 48 + n) for n in range(8)]
    chosen = choose_pairs(instruments, 1, (3, 4, 3))
    sustains = {i.name: i.sustains for i in instruments}
    assert Counter(sustains[p.west] + sustains[p.east] for p in chosen) == {0: 3, 1: 4, 2: 3}
    used = Counter(name for p in chosen for name in (p.west, p.east))
    assert set(used) == set(sustains)
    assert max(used.values()) <= 4
    assert len(set(chosen)) == 10
    assert choose_pairs(instruments, 1, (3, 4, 3)) == chosen
    assert any(choose_pairs(instruments, seed, (3, 4, 3)) != chosen for seed in range(2, 6))


def test_more_pairs_than_there_are() -> None:
    with pytest.raises(TetradError, match="only 1 of that kind"):
        choose_pairs([made("a", True, 60), made("b", True, 60)], 0, (0, 0, 2))


def test_only_pairs_with_a_common_key_are_candidates() -> None:
    instruments = [made("a", True, 60), made("b", True, 60, 61), made("c", True, 61)]
    chosen = choose_pairs(instruments, 0, (0, 0, 2))
    assert {(p.west, p.east, p.key) for p in chosen} == {("a", "b", 60), ("b", "c", 61)}
    assert len(list(combinations(instruments, 2))) == 3
