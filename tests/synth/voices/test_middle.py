"""What a blend in dB falls short of, and that the engine gives just that back."""

import numpy as np
import numpy.typing as npt
import pytest

from synth.control.events import NoteOn, SetParameter
from synth.frames import FRAME_RATE_HZ, Float32Array, Float64Array, k_weighting_db
from synth.instruments.format import Instrument
from synth.voices.middle import LISTENED_FRAMES, MIDDLE_LIMIT_DB, gated_power, measure_middles
from synth.voices.voice import VOICE
from tests.synth.voices.engine_parts import HOP, Sound, engine, instrument, steady

N_LISTENED = LISTENED_FRAMES * HOP


def falling(db_per_s: float, seed: int = 0) -> Sound:
    sound = steady({1: -20, 3: -30}, 400, seed=seed)
    sound.rows[:, :-1] -= (db_per_s / FRAME_RATE_HZ * np.arange(400))[:, None].astype(np.float32)
    sound.rows[:, :-1] = np.maximum(sound.rows[:, :-1], -120.0)
    return Sound(sound.rows, (0, 0), 395, seed=seed)


def held(*corners: Instrument, x: float = 0.0) -> Float32Array:
    """The first 1.5 s on the northern edge, float32 [n]."""
    settings = {"volume": 0.0, "x": x, "y": 1.0}
    events = [*(SetParameter(0, name, value) for name, value in settings.items()), NoteOn(0)]
    return engine(*corners, events=events).render(N_LISTENED)[:, 0]


def powers_of(*curves_db: npt.NDArray[np.floating]) -> Float64Array:
    return np.ascontiguousarray(10.0 ** (np.array(curves_db) / 10.0))


def middles(*curves_db: npt.NDArray[np.floating]) -> Float64Array:
    bank = np.zeros(1, VOICE)
    measure_middles(powers_of(*curves_db), bank, 0, 0.0)
    found: Float64Array = bank["middle_db"][0]
    return found


def gated_lufs(audio: Float32Array) -> float:
    """BS.1770 of what was played, by another road than the engine's: weighted samples, 400 ms blocks, both gates."""
    spectrum = np.fft.rfft(audio, 1 << 18)
    spectrum *= 10.0 ** (k_weighting_db(np.fft.rfftfreq(1 << 18, 1 / 48_000)) / 20.0)
    weighted = np.fft.irfft(spectrum)[: audio.size]
    starts = range(0, audio.size - 19_200 + 1, 4_800)
    blocks = np.array([np.mean(weighted[start : start + 19_200] ** 2) for start in starts])
    blocks = blocks[blocks > 10.0 ** ((-70.0 + 0.691) / 10.0)]
    return float(-0.691 + 10.0 * np.log10(blocks[blocks > 0.1 * blocks.mean()].mean()))


def test_the_gates() -> None:
    constant = np.full(LISTENED_FRAMES, 1e-2)
    assert gated_power(constant) == pytest.approx(1e-2)
    half = np.where(np.arange(LISTENED_FRAMES) < 100, 1e-2, 1e-9)
    # Blocks begin every 12.5 frames and last 50: five lie within the loud part, and three more than a tenth.
    starts = [i * 25 // 2 for i in range(12)]
    shares = np.array([np.clip(100 - start, 0, 50) / 50 for start in starts])
    passing = shares[shares * 1e-2 > 0.1 * 1e-2 * shares[shares > 0].mean()]
    assert gated_power(half) == pytest.approx(1e-2 * passing.mean(), rel=1e-4)
    assert gated_power(np.full(LISTENED_FRAMES, 1e-8)) == 0.0


def test_equal_envelopes_miss_nothing() -> None:
    curve = -20.0 - 0.2 * np.arange(LISTENED_FRAMES)
    found = middles(curve, curve - 7.0, curve, curve)
    np.testing.assert_allclose(found - np.diag(np.diag(found)), 0.0, atol=1e-9)
    assert np.diag(found) == pytest.approx(10.0 * np.log10(gated_power(powers_of(curve)[0])) - np.array([0, 7, 0, 0]))


def test_every_two_corners_have_what_they_miss() -> None:
    flat = np.full(LISTENED_FRAMES, -20.0)
    early = np.where(np.arange(LISTENED_FRAMES) < 94, -20.0, -40.0)
    late = early[::-1]
    found = middles(flat, early, late, flat)
    wanted = 5.0 * np.log10(gated_power(powers_of(early)[0]) * gated_power(powers_of(late)[0]))
    wanted -= 10.0 * np.log10(gated_power(powers_of(0.5 * (early + late))[0]))
    assert found[1, 2] == pytest.approx(wanted)
    assert found[1, 2] > 5.0
    assert found[0, 3] == pytest.approx(0.0)
    assert found[0, 1] == pytest.approx(found[1, 3])
    assert np.all(np.tril(found, -1) == 0.0)


def test_no_more_than_the_limit_and_nothing_for_silence() -> None:
    early = np.where(np.arange(LISTENED_FRAMES) < 94, -20.0, -120.0)
    silent = np.full(LISTENED_FRAMES, -120.0)
    found = middles(early, early[::-1].copy(), silent, early)
    assert found[0, 1] == MIDDLE_LIMIT_DB
    assert found[0, 2] == 0.0


@pytest.mark.parametrize("slope", [40.0, 80.0])
def test_half_way_is_as_loud_as_the_mean_of_both(slope: float) -> None:
    """A note that decays and one that holds; in dB alone, half-way would be softer by more than 1 LU."""
    west, east = instrument(falling(slope)), instrument(steady({1: -24, 2: -30}, 400, seed=1))
    corners = (west, east, west, east)
    levels = [gated_lufs(held(*corners, x=x)) for x in (0.0, 0.5, 1.0)]
    assert levels[1] == pytest.approx(0.5 * (levels[0] + levels[2]), abs=0.1)


def test_a_corner_is_untouched() -> None:
    """Whatever the other corners are: nothing is added where they weigh nothing."""
    west = instrument(falling(60.0))
    beside = held(west, instrument(steady({2: -24}, 400, seed=1)), west, west)
    np.testing.assert_array_equal(beside, held(west))
