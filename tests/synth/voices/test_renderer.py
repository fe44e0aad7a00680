"""The end of the audio half: effects in the engine, limiter, meters, and what silence costs."""

import numpy as np
import pytest

from synth.control.events import AllSoundOff, NoteOff, NoteOn, SetParameter
from synth.control.parameters import INDEX
from synth.frames import Float32Array, Float64Array
from synth.voices.effects_limiter import OUTPUT, THRESHOLD, ride, set_up_output, write_out
from synth.voices.engine import Engine
from tests.synth.voices.engine_parts import RATE, engine, instrument, steady
from tests.synth.voices.test_engine_timing import noisy

F0_HZ = 261.6256


def limited(sound: Float32Array, riding: bool) -> Float64Array:
    """float32 [n, 2] through the limiter in blocks of 100; float64 [n]: the left channel."""
    output = np.zeros(1, OUTPUT)
    set_up_output(output[0], RATE)
    out = np.zeros_like(sound)
    for first in range(0, len(sound), 100):
        mix = sound[first : first + 100].T.copy()
        if riding:
            ride(output[0], mix, mix.shape[1])
        write_out(out[first : first + 100], mix, mix.shape[1], output[0])
    return out[:, 0].astype(np.float64)


def stereo(left: Float64Array) -> Float32Array:
    return np.repeat(left[:, None], 2, axis=1).astype(np.float32)


def distortion_db(sound: Float64Array, hz: float) -> float:
    """Power beside a sine of `hz` over the sine's."""
    t = np.arange(sound.size) / RATE
    basis = np.stack([np.sin(2 * np.pi * hz * t), np.cos(2 * np.pi * hz * t)], axis=1)
    fit = basis @ np.linalg.lstsq(basis, sound, rcond=None)[0]
    return float(10.0 * np.log10(np.mean((sound - fit) ** 2) / np.mean(fit**2)))


@pytest.mark.parametrize("riding", [False, True])
def test_below_its_threshold_the_limiter_does_not_touch_a_bit(riding: bool) -> None:
    sound = stereo(0.99 * float(THRESHOLD) * np.random.default_rng(0).uniform(-1.0, 1.0, 20_000))
    np.testing.assert_array_equal(limited(sound, riding), sound[:, 0])


def test_a_ridden_overload_is_turned_down_and_not_bent_and_comes_back() -> None:
    n = np.arange(2 * RATE)
    loud = np.where(n < RATE, 4.0, 0.5) * np.sin(2 * np.pi * 100.0 * n / RATE)
    bent, ridden = (limited(stereo(loud), riding) for riding in (False, True))
    for out in (bent, ridden):
        assert np.max(np.abs(out)) <= 1.0
    assert distortion_db(ridden[RATE // 4 : RATE], 100.0) < -60.0 < -20.0 < distortion_db(bent[RATE // 4 : RATE], 100.0)
    assert np.max(np.abs(ridden[RATE // 4 : RATE])) == pytest.approx(float(THRESHOLD), rel=0.01)
    # 150 ms for each factor of e from 4 to 1/2 of the threshold, and a little for the last millionth.
    np.testing.assert_array_equal(ridden[-RATE // 4 :], stereo(loud)[-RATE // 4 :, 0])


def play(made: Engine, n_samples: int, block: int = 128) -> Float32Array:
    return np.concatenate([made.render(min(block, n_samples - first)) for first in range(0, n_samples, block)])


def mix(made: Engine, time: int, name: str, value: float) -> None:
    assert made._rings.mix.push(time, INDEX[name], value)


def test_effects_in_the_engine_do_not_depend_on_the_blocks_and_vanish_at_0() -> None:
    def make(reverb: float) -> Engine:
        made = engine(noisy_instrument, events=[NoteOn(100), NoteOff(9000), NoteOn(30_000, 0, 64)])
        mix(made, 0, "delay_time", 0.03)
        mix(made, 3000, "reverb", reverb)
        mix(made, 5001, "delay", reverb)
        mix(made, 5001, "chorus", reverb)
        return made

    noisy_instrument = instrument(noisy(), steady({1: -20}, pitch=64))
    plain = play(engine(noisy_instrument, events=[NoteOn(100), NoteOff(9000), NoteOn(30_000, 0, 64)]), 40_000)
    np.testing.assert_array_equal(play(make(0.0), 40_000), plain)
    wet = play(make(0.5), 40_000)
    np.testing.assert_array_equal(wet[:3000], plain[:3000])
    assert np.max(np.abs(wet - plain)) > 0.01
    for block in (1000, 77):
        np.testing.assert_allclose(play(make(0.5), 40_000, block), wet, rtol=0, atol=1e-6)


def test_silence_rings_out_and_then_is_exact_and_the_next_note_is_the_same() -> None:
    corner = instrument(noisy())
    first = engine(corner, events=[SetParameter(0, "volume", 0.0), NoteOn(0), NoteOff(4800)])
    mix(first, 0, "reverb", 0.5)
    mix(first, 0, "reverb_time", 0.5)
    sound = play(first, 4 * RATE)
    assert np.max(np.abs(sound[9600:14_400])) > 1e-4
    assert np.all(sound[3 * RATE :] == 0.0)
    assert list(first._renderer._effects.state["awake"][0]) == [0, 0, 0]
    # A quiet engine and one that was never asked for a block begin a note alike.
    start = 12 * 384
    quiet = engine(corner, events=[NoteOn(start)])
    rested = play(quiet, start + 9600)
    assert np.all(rested[:start] == 0.0)
    assert int(np.flatnonzero(np.any(rested != 0.0, axis=1))[0]) == start
    whole = play(engine(corner, events=[NoteOn(start)]), start + 9600, start + 9600)
    np.testing.assert_allclose(rested, whole, rtol=0, atol=1e-6)


def test_silence_of_the_mix_ring_ends_a_room_after_all_sound_off() -> None:
    made = engine(instrument(steady({1: -10})), events=[NoteOn(0), AllSoundOff(RATE)])
    mix(made, 0, "reverb", 1.0)
    mix(made, 0, "reverb_time", 20.0)
    mix(made, 0, "chorus", 1.0)
    assert made._rings.mix.silence(RATE)
    out = play(made, 2 * RATE)
    assert np.max(np.abs(out[RATE - 100 : RATE])) > 0.01
    assert np.all(out[RATE + 144 + 64 :] == 0.0)  # the noise ends with its cell


def test_meters_show_a_sine_s_peak_and_rms_per_channel_and_fall() -> None:
    made = engine(
        instrument(steady({1: -20})), events=[SetParameter(0, "volume", 0.0), NoteOn(0), AllSoundOff(2 * RATE)]
    )
    play(made, 2 * RATE)
    levels = made._renderer.levels
    # The middle of the stereo picture: both channels have the mono level.
    assert levels.peak == pytest.approx((0.1, 0.1), rel=0.02)
    assert levels.rms == pytest.approx((0.1 / np.sqrt(2.0),) * 2, rel=0.02)
    assert made._renderer.peak == pytest.approx(0.1, rel=0.02)
    play(made, RATE)
    fallen = made._renderer.levels
    assert 20.0 * np.log10(levels.peak[0] / fallen.peak[0]) == pytest.approx(11.8, abs=0.2)
    assert fallen.rms[0] == pytest.approx(levels.rms[0] * np.exp(-0.5 / 0.3), rel=0.05)
    play(made, 30 * RATE, 4800)
    assert made._renderer.levels == ((0.0, 0.0), (0.0, 0.0))
