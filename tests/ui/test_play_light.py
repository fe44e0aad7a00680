"""Where the lights are, how bright, and in which colours; and the trail."""

import itertools

import numpy as np
import pytest

from synth.control.corners import PLACES, Corner, weights
from ui.mirror import Note
from ui.pages.play.light import MOST_LIGHTS, N_PETALS, NoteLights, aside_mm, petals_of
from ui.pages.play.textures import CLOCKWISE, corner_mix, field_pixels, petal_pixels, quarters
from ui.pages.play.trail import LIVES_S, Trail
from ui.theme import THEMES, Theme


def note(
    key: int = 60, x: float = 0.5, y: float = 0.5, level_db: float = -12.0, spectrum_db: tuple[float, ...] = ()
) -> Note:
    return Note(0, key, x, y, level_db, spectrum_db)


def settle(lights: NoteLights, seconds: float = 1.0) -> None:
    for _ in range(round(seconds * 60)):
        lights.step(1.0 / 60.0)


def test_a_louder_note_is_a_larger_light() -> None:
    lights = NoteLights()
    lights.take([note(60, 0.2, 0.2, -40.0), note(64, 0.8, 0.8, -10.0)])
    settle(lights)
    soft, loud = lights.lights[0, 60, 0], lights.lights[0, 64, 0]
    assert loud.loudness > soft.loudness > 0.1
    assert loud.radius_mm > soft.radius_mm


def test_a_petal_is_as_long_as_its_octave_is_loud() -> None:
    spectrum = tuple(-20.0 - 8.0 * band for band in range(N_PETALS))
    lengths = petals_of(note(spectrum_db=spectrum))
    assert all(a > b for a, b in itertools.pairwise(lengths))
    lights = NoteLights()
    lights.take([note(spectrum_db=spectrum)])
    settle(lights)
    rim = lights.lights[0, 60, 0].rim_mm()
    assert rim[0] == pytest.approx(rim[-1]), "the flower is closed"
    tips = rim[:-1].reshape(N_PETALS, -1)[:, 0]
    assert all(a > b for a, b in itertools.pairwise(tips))


@pytest.mark.parametrize("spectrum", [(), (-30.0,), tuple(-30.0 for _ in range(20)), (-1e9,) * 8, (1e9,) * 8])
def test_a_spectrum_of_any_length_is_shown(spectrum: tuple[float, ...]) -> None:
    lengths = petals_of(note(spectrum_db=spectrum))
    assert lengths.shape == (N_PETALS,)
    assert lengths.min() >= 0.0
    assert lengths.max() <= 1.0


def test_a_light_follows_its_note_and_fades_when_it_is_gone() -> None:
    lights = NoteLights()
    lights.take([note(x=0.1)])
    settle(lights)
    lights.take([note(x=0.9)])
    lights.step(1.0 / 60.0)
    assert 0.1 < lights.lights[0, 60, 0].x < 0.9
    settle(lights)
    assert lights.lights[0, 60, 0].x == pytest.approx(0.9, abs=0.001)
    lights.take([])
    lights.step(1.0 / 60.0)
    assert lights
    settle(lights, 2.0)
    assert not lights


def test_what_does_not_move_is_not_drawn_again() -> None:
    lights = NoteLights()
    lights.take([note()])
    assert lights.step(1.0 / 60.0)
    settle(lights)
    assert not lights.step(1.0 / 60.0)
    lights.take([note(level_db=-40.0)])
    assert lights.step(1.0 / 60.0)


def test_notes_at_one_place_make_room_for_each_other() -> None:
    lights = NoteLights()
    chord = [note(key) for key in range(48, 64)]
    lights.take(chord)
    places = [light.aside_mm for light in lights.lights.values()]
    assert len(set(places)) == 16
    lights.take(chord[:1])
    settle(lights)
    assert lights.lights[0, 48, 0].aside_mm == pytest.approx((0.0, 0.0), abs=0.01)
    lights.take([note(60, 0.1, 0.1), note(61, 0.9, 0.9)])
    assert lights.lights[0, 60, 0].aside_goal_mm == (0.0, 0.0), "MPE: each has its own place"
    assert max(abs(value) for key in range(128) for value in aside_mm(key)) < 30.0


def test_one_key_twice_is_two_lights_and_there_are_never_too_many() -> None:
    lights = NoteLights()
    lights.take([note(), note()])
    assert len(lights.lights) == 2
    lights.take([note(key) for key in range(100)])
    settle(lights, 3.0)
    assert len(lights.lights) == MOST_LIGHTS


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_a_place_has_its_corners_colours(theme: Theme) -> None:
    pixels = field_pixels(theme, 32).astype(float)[:, :, :3] / 255.0
    for corner, (x, y) in PLACES.items():
        mixed = np.array(corner_mix(theme, x, y)[:3])
        own = np.array(theme.corners[corner][:3])
        assert mixed / mixed.max() == pytest.approx(own / own.max())
        there = pixels[-1 if y else 0, -1 if x else 0] - np.array(theme.background[:3])
        distances = [
            np.linalg.norm(there / np.linalg.norm(there) - towards / np.linalg.norm(towards))
            for towards in (np.array(one[:3]) - np.array(theme.background[:3]) for one in theme.corners)
        ]
        assert int(np.argmin(distances)) == corner, "the field has the corner's own colour there"


def test_a_flower_has_as_much_of_a_corner_s_colour_as_its_sound_has() -> None:
    turns = (np.arange(4000) + 0.5) / 4000
    for x, y in ((0.5, 0.5), (0.2, 0.7), (0.9, 0.9), (1.0, 0.0)):
        found = np.floor(quarters(x, y, turns) * 4).astype(int)
        for quarter, corner in enumerate(CLOCKWISE):
            assert np.mean(found == quarter) == pytest.approx(weights(x, y)[corner], abs=0.002)
    alone = quarters(1.0, 1.0, turns)
    assert np.ptp(alone) == 0.0, "in a corner there is one colour"
    theme = THEMES["stage"]
    pixels = petal_pixels(theme)
    row = int(alone[0] * pixels.shape[0])
    assert pixels[row, 0, :3] / 255.0 == pytest.approx(np.array(theme.corners[Corner.NE][:3]), abs=0.01)


def test_a_trail_grows_behind_the_point_and_is_gone_after_it_rests() -> None:
    trail = Trail()
    for i in range(10):
        trail.add(0.01 * i, 10.0 * i, 5.0)
    trail.add(0.1, 90.5, 5.0)  # half a pixel: not worth a piece
    vertices = np.array(trail.mesh(0.1, 8.0)).reshape(-1, 4)
    assert vertices.shape == (20, 4)
    assert np.all(np.diff(vertices[::2, 0]) == 10.0)
    widths = vertices[::2, 1] - vertices[1::2, 1]
    assert np.all(np.diff(widths) > 0.0), "thin at its old end"
    assert np.all((vertices[:, 2] >= 0.0) & (vertices[:, 2] <= 1.0))
    trail.step(0.1 + LIVES_S)
    assert not trail
    assert trail.mesh(1.0, 8.0) == []
