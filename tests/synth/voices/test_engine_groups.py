"""Voices that began at odd times soon tick together, and nobody hears it."""

import numpy as np
import pytest

from synth.control.events import NoteOff, NoteOn, SetParameter
from synth.frames import Float32Array
from synth.voices.engine import Engine
from synth.voices.voice import FREE, GROUP_SIZE, N_GROUPS
from tests.synth.voices.engine_parts import (
    HOP,
    RATE,
    AnalyticDecoder,
    Sound,
    engine,
    instrument,
    silent_rows,
    steady,
)

UNITY = SetParameter(0, "volume", 0.0)


class CountingDecoder(AnalyticDecoder):
    def __init__(self) -> None:
        self.rows: list[int] = []

    def run(self, z_window: Float32Array, pitch: Float32Array, velocity: Float32Array) -> Float32Array:
        self.rows.append(z_window.shape[0])
        return super().run(z_window, pitch, velocity)


def slope(db_per_frame: float) -> Sound:
    """One partial that falls evenly while it is held, and twice as fast once it is let go."""
    rows = silent_rows(200)
    rows[:150, 0] = -20.0 + db_per_frame * np.arange(150)
    rows[150:, 0] = -30.0 + 2.0 * db_per_frame * np.arange(50)
    return Sound(rows, (0, 0), 150)


def level_db(signal: Float32Array) -> Float32Array:
    """Of a sinusoid, a value every ms, from the energy of 12 ms; -70 at least, as voices fall silent at -90."""
    power = np.convolve(signal.astype(np.float64) ** 2, np.hanning(577) / np.hanning(577).sum(), "valid")
    return np.asarray(10.0 * np.log10(2.0 * power[::48] + 1e-7), np.float32)


@pytest.mark.parametrize(("n_voices", "batches"), [(16, 1), (24, 1), (40, 2), (64, 3), (90, 3)])
def test_a_group_shares_its_runs_of_the_network(n_voices: int, batches: int) -> None:
    decoder = CountingDecoder()
    made = Engine([instrument(steady({1: -30}))] * 4, decoder, n_voices=n_voices)
    for i in range(n_voices):
        made.push(NoteOn(i * HOP // n_voices, i % 16, 36 + i % 47))
    made.render(RATE // 4)
    decoder.rows.clear()
    for _ in range(RATE // 128):
        made.render(128)
    assert len(decoder.rows) == 125 * batches
    assert sum(decoder.rows) == 125 * n_voices
    bank = made._conductor._bank
    sizes = np.bincount(bank["group"][bank["state"] != FREE], minlength=N_GROUPS)
    assert sizes[0] >= min(n_voices, GROUP_SIZE)


@pytest.mark.parametrize("onset", [1, 100, 191, 192, 193, 300, 383])
def test_joining_keeps_the_place_in_the_recording(onset: int) -> None:
    """A note that begins on the grid never joins another; one that begins beside it sounds the same, later."""

    def levels(start: int) -> Float32Array:
        events = [UNITY, NoteOn(start), NoteOff(start + 40_000)]
        out = engine(instrument(slope(-0.4), sustains=False), events=events).render(start + 60_000)[start:, 0]
        return level_db(out)

    # Frames that are read between two measured ones lie on the line between them.
    np.testing.assert_allclose(levels(onset), levels(0), rtol=0, atol=0.06)


@pytest.mark.parametrize("release", [0.25, 1.0, 3.0])
def test_a_released_voice_keeps_its_pace(release: float) -> None:
    def levels(start: int) -> Float32Array:
        events = [UNITY, SetParameter(0, "release", release), NoteOn(start), NoteOff(start + 20_000)]
        out = engine(instrument(slope(-0.4), sustains=False), events=events).render(start + 40_000)[start:, 0]
        return level_db(out)

    np.testing.assert_allclose(levels(150), levels(0), rtol=0, atol=0.06)


def test_a_control_that_moves_while_a_voice_joins_does_not_move_it_in_time() -> None:
    """The finger turns ramps that are under way; the frame under way stays where it is in the recording."""

    def levels(*moves: int) -> Float32Array:
        events = [UNITY, NoteOn(100), NoteOff(20_000)]
        events += [SetParameter(time, "brightness", 0.0) for time in moves]
        return level_db(engine(instrument(slope(-0.4), sustains=False), events=events).render(40_000)[100:, 0])

    moves = [100 + 7 * HOP + 10, 100 + 7 * HOP + 5000, 20_000 + 7 * HOP + 10, 33_000]
    np.testing.assert_allclose(levels(*moves), levels(), rtol=0, atol=0.05)
