"""A note of an hour: what is computed at its end is as exact as at its beginning."""

import numpy as np
import pytest

from synth.control.events import ModWheel, NoteOn, SetParameter
from synth.frames import N_PARTIALS, Float32Array
from synth.voices.engine import Engine
from tests.synth.voices.engine_parts import HOP, RATE, Sound, engine, instrument, silent_rows

HOUR_FRAMES = 3600 * 125


def swinging() -> Sound:
    """Every frame of the loop has its own levels; the loop turns after 97 - 40 = 57 frames, so 114 are one round."""
    generator = np.random.default_rng(11)
    rows = silent_rows(200)
    rows[:, :N_PARTIALS] = -60.0 + 6.0 * generator.standard_normal((200, N_PARTIALS))
    return Sound(rows, (40, 97), 155)


def an_hour_later(made: Engine) -> None:
    """The clocks of both halves are moved, not waited for."""
    conductor, renderer = made._conductor, made._renderer
    hour = HOUR_FRAMES * HOP
    for name in ("base", "next_tick", "ramp_start"):
        conductor._bank[name] += hour * (conductor._bank["state"] == 1)
    conductor._bank["held_base"] += HOUR_FRAMES
    conductor.clock_samples += hour
    conductor._schedule.earliest_tick += hour
    renderer._state["ramp_start"] += hour
    renderer.clock_samples += hour
    made._rings.segments["start"] += hour


def levels(made: Engine, n_frames: int) -> Float32Array:
    found = []
    for _ in range(n_frames):
        made.render(HOP)
        bank = made._conductor._bank
        found.append(bank["level_to"][np.argmax(bank["state"])].copy())
    return np.array(found)


def test_the_frames_of_the_loop_are_the_same_after_an_hour() -> None:
    events = [SetParameter(0, "volume", 0.0), NoteOn(0)]
    made, early = (engine(instrument(swinging()), events=events) for _ in range(2))
    made.render(100 * HOP)
    early.render((100 + HOUR_FRAMES % 114) * HOP)
    an_hour_later(made)
    np.testing.assert_allclose(levels(made, 200), levels(early, 200), rtol=1e-5)


def test_a_vibrato_of_an_hour_keeps_its_rate_and_depth() -> None:
    made = engine(instrument(swinging()), events=[ModWheel(0, 0, 1.0), NoteOn(0)])
    made.render(100 * HOP)
    an_hour_later(made)
    pitches = []
    for _ in range(250):
        made.render(HOP)
        bank = made._conductor._bank
        pitches.append(1200.0 * np.log2(bank["f0"][np.argmax(bank["state"])] * RATE / 261.6256))
    assert max(pitches) == pytest.approx(50.0, abs=2.0)
    assert min(pitches) == pytest.approx(-50.0, abs=2.0)
    assert np.count_nonzero(np.diff(np.signbit(pitches))) == pytest.approx(2 * 5.5 * 2, abs=1)
