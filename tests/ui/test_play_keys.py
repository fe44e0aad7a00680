"""Where the keys are."""

import pytest

from ui.pages.play.keys import (
    HIGHEST,
    LOUDEST,
    SOFTEST,
    areas,
    is_black,
    key_at,
    n_white_keys,
    name_of,
    velocity_at,
    whites_from,
)


def test_an_octave_is_a_piano_s() -> None:
    assert whites_from(60, 8) == [60, 62, 64, 65, 67, 69, 71, 72]
    assert sorted(area.key for area in areas(60, 8)) == list(range(60, 73))
    assert [key for key in range(60, 72) if is_black(key)] == [61, 63, 66, 68, 70]


def test_a_keyboard_ends_where_midi_does() -> None:
    keys = areas(120, 15)
    assert max(area.key for area in keys) == HIGHEST
    assert all(area.right <= 1.0 for area in keys)
    assert key_at(keys, 0.99, 0.1) is None


def test_every_place_has_one_key_and_every_key_is_hit_in_its_middle() -> None:
    keys = areas(48, 15)
    for area in keys:
        low = area.bottom + 0.02
        assert key_at(keys, (area.left + area.right) / 2.0, low) == area
    assert all(key_at(keys, (i + 0.5) / 500.0, y) is not None for i in range(500) for y in (0.0, 0.5, 1.0))


def test_a_black_key_lies_above_the_white_ones() -> None:
    keys = areas(60, 7)
    border = 1.0 / 7.0
    assert key_at(keys, border, 0.9).key == 61  # type: ignore[union-attr]
    assert key_at(keys, border - 0.001, 0.1).key == 60  # type: ignore[union-attr]


@pytest.mark.parametrize("key", [60, 61])
def test_nearer_to_the_player_is_louder(key: int) -> None:
    area = next(area for area in areas(60, 7) if area.key == key)
    heights = [area.top - (area.top - area.bottom) * i / 10.0 for i in range(11)]
    velocities = [velocity_at(area, y) for y in heights]
    assert velocities == sorted(velocities)
    assert (velocities[0], velocities[-1]) == (SOFTEST, LOUDEST)
    assert velocity_at(area, -3.0) == LOUDEST
    assert velocity_at(area, 7.0) == SOFTEST


def test_names() -> None:
    assert [name_of(key) for key in (0, 48, 60, 61, 127)] == ["C-1", "C3", "C4", "C♯4", "G9"]


def test_keys_are_as_wide_as_a_finger_where_there_is_room() -> None:
    assert n_white_keys(700.0, 50.0) == 14
    assert n_white_keys(0.0, 50.0) == 5
