"""Chorus, echoes, room: what they do to sounds whose effect can be computed."""

import numpy as np
import pytest

from synth.control.parameters import INDEX
from synth.errors import TetradError
from synth.frames import Float32Array, Float64Array
from synth.voices.segments import MIX_NAMES, MIX_PARAMETERS, MIX_PLACES, MixRing
from tests.synth.voices.effects_parts import RATE, Rack, click, fall_time_s, noise, sine

ALL_ON = {"chorus": 0.6, "delay": 0.5, "delay_time": 0.05, "reverb": 0.4, "reverb_time": 0.7}
MOVES = [
    (1, "reverb", 0.8),
    (700, "chorus_rate", 4.0),
    (701, "delay_time", 0.031),
    (2000, "reverb_time", 3.0),
    (2000, "reverb_damping", 0.0),
    (3333, "delay", 0.0),
    (5000, "chorus", 0.0),
    (9001, "delay_feedback", 0.9),
    (9002, "delay", 1.0),
    (20_000, "reverb", 0.0),
]


def power_db(sound: Float32Array) -> float:
    return float(10.0 * np.log10(np.mean(sound.astype(np.float64) ** 2) + 1e-30))


def room_response(seconds: float, rate: int = RATE, /, **set_to: float) -> Float64Array:
    """What a click brings forth in a room at full level, float64 [n]; scaled up, for the room sleeps at -120 dBFS."""
    rack = Rack(rate, reverb=1.0, **set_to)
    rack.process(np.zeros((rate // 5, 2), np.float32))  # the glide to the new values
    sound = 1000.0 * click(seconds, rate)
    return (rack.process(sound) - sound)[:, 0].astype(np.float64)


@pytest.mark.long
def test_with_all_levels_at_0_not_a_bit_changes_whatever_else_moves() -> None:
    sound = noise(0.5)
    rack = Rack(delay_time=0.01, delay_feedback=0.95, reverb_time=20.0, chorus_rate=5.0)
    rack.at((5000, "delay_time", 0.5), (6000, "reverb_damping", 1.0))
    np.testing.assert_array_equal(rack.process(sound), sound)
    assert rack.awake == [0, 0, 0]


@pytest.mark.parametrize("blocks", [[1] * 300, [64] * 500, [1000] * 40, [7, 333, 64, 1, 1024, 129] * 30])
def test_no_sample_depends_on_the_blocks(blocks: list[int]) -> None:
    """Bit for bit, also where sound comes and goes and effects fall asleep and wake."""
    sound = noise(0.9)
    sound[12_000:24_000] = 0.0
    sound[31_111:31_222] = 0.0
    racks = [Rack(**ALL_ON) for _ in range(2)]
    for rack in racks:
        rack.at(*MOVES)
    whole, cut = racks[0].process(sound), racks[1].process(sound, blocks)
    assert np.max(np.abs(whole - sound)) > 0.1
    np.testing.assert_array_equal(cut, whole)


def test_a_change_begins_at_its_sample_and_takes_some_10_ms() -> None:
    """The first echo of a constant is `delay` times the constant: the echo shows the glide itself."""
    constant = np.ones((RATE, 2), np.float32)
    rack = Rack(delay=0.0, delay_time=0.1, delay_feedback=0.0)
    rack.at((9000, "delay", 0.5))
    echo = rack.process(constant)[:, 0] - 1.0
    start = 9000 + 4800
    assert np.all(echo[:start] == 0.0)
    assert echo[start] > 0.0
    n = np.arange(2000)
    np.testing.assert_allclose(echo[start : start + 2000], 0.5 * (1.0 - np.exp(-(n + 1) / 480.0)), atol=2e-4)


def test_echoes_come_at_their_times_and_fall_by_the_feedback() -> None:
    out = Rack(delay=0.5, delay_time=0.1, delay_feedback=0.6).process(click(0.7, at=4800))
    assert out[4800, 0] == 1.0
    np.testing.assert_array_equal(np.flatnonzero(np.abs(out[4801:10_000, 0]) > 0.05) + 4801, [9600])
    # The loop's low-pass spreads a click: sums over 10 ms.
    levels = [float(np.sum(out[n - 4 : n + 476, 0])) for n in range(9600, 9600 + 4 * 4800, 4800)]
    assert levels[0] == pytest.approx(0.5, rel=1e-3)
    tone = sine(0.08, 1000.0)
    burst = np.concatenate([tone, np.zeros((RATE, 2), np.float32)])
    echoes = Rack(delay=0.5, delay_time=0.1, delay_feedback=0.6).process(burst)
    powers = [power_db(echoes[n + 500 : n + 3500]) for n in range(4800, 5 * 4800, 4800)]
    np.testing.assert_allclose(np.diff(powers), 20.0 * np.log10(0.6), atol=0.15)


def test_a_sound_at_the_left_goes_to_and_fro_and_the_mono_sum_does_not_notice() -> None:
    left = noise(0.05)
    left[:, 1] = 0.0
    sound = np.concatenate([left, np.zeros((RATE // 2, 2), np.float32)])
    out = Rack(delay=0.7, delay_time=0.1).process(sound)
    assert power_db(out[4800:7200, 1:]) < -100.0
    assert power_db(out[9600:12_000, :1]) < -100.0
    assert power_db(out[9600:12_000, 1:]) > -40.0
    middle = np.repeat(0.5 * sound.sum(axis=1, keepdims=True), 2, axis=1)
    np.testing.assert_allclose(out.sum(axis=1), Rack(delay=0.7, delay_time=0.1).process(middle).sum(axis=1), atol=1e-6)


def test_moving_the_delay_time_makes_no_zipper_noise() -> None:
    """The time of a sine's echo moves 100 times a second, by no whole number of periods: from 300 Hz beside the sine on
    there is nothing above -80 dB. Steps of the tap, without a fade, make -19 dB."""
    tone = sine(1.5, 1000.0)
    beside_db = []
    for fade_samples in (None, 1):
        rack = Rack(delay=1.0, delay_time=0.2, delay_feedback=0.0)
        if fade_samples is not None:
            rack.effects.delay["fade_samples"] = fade_samples
        rack.at(*((24_000 + 480 * i, "delay_time", 0.2 + 0.00137 * i) for i in range(80)))
        echo = (rack.process(tone) - tone)[24_000:62_400, 0]
        spectrum = np.abs(np.fft.rfft(echo * np.blackman(echo.size)))
        far = np.abs(np.fft.rfftfreq(echo.size, 1.0 / RATE) - 1000.0) > 300.0
        beside_db.append(20.0 * np.log10(spectrum[far].max() / spectrum.max()))
        assert power_db(echo) > -20.0
    assert beside_db[0] < -80.0 < -30.0 < beside_db[1]


@pytest.mark.parametrize("seconds", [0.25, 0.8, 2.0, 8.0])
def test_the_room_falls_by_60_db_in_its_time(seconds: float) -> None:
    response = room_response(1.1 * seconds, reverb_time=seconds, reverb_damping=0.0)
    for band_hz in (250.0, 500.0, 1000.0, 2000.0):
        assert fall_time_s(response, band_hz=band_hz) == pytest.approx(seconds, rel=0.1)


def test_damping_takes_the_treble_and_leaves_the_bass() -> None:
    times = {}
    for damping in (0.0, 0.5, 1.0):
        response = room_response(2.5, reverb_damping=damping)
        times[damping] = [fall_time_s(response, band_hz=hz) for hz in (250.0, 6000.0)]
    for low, _ in times.values():
        assert low == pytest.approx(2.0, rel=0.1)
    treble = [time for _, time in times.values()]
    assert treble[1] == pytest.approx(2.0 * (1.0 - 0.85 * 0.5), rel=0.15)
    assert treble[2] < 0.25 * treble[0]


@pytest.mark.parametrize("seconds", [0.5, 2.0])
def test_a_long_sound_has_its_own_power_in_the_room_left_and_right_and_in_mono(seconds: float) -> None:
    sound = noise(3.0 * seconds + 1.0)
    room = Rack(reverb=1.0, reverb_time=seconds, reverb_damping=0.0).process(sound) - sound
    room, dry = room[round(2.0 * seconds * RATE) :], sound
    for channel in range(2):
        assert power_db(room[:, channel]) == pytest.approx(power_db(dry), abs=1.5)
    # Independent channels lose 3 dB in a mono sum; what cancels loses more.
    assert power_db(0.5 * room.sum(axis=1)) == pytest.approx(power_db(room) - 3.0, abs=1.0)


def test_the_room_is_dense_within_80_ms() -> None:
    """Echo density after Abel and Huang (2006): 1 is Gaussian noise, a few echoes are near 0."""
    response = room_response(0.5)
    window = np.hanning(1921) / np.sum(np.hanning(1921))
    for middle in (3840, 7200, 14_400):
        part = response[middle - 960 : middle + 961]
        outside = np.abs(part) > np.sqrt(np.sum(window * part**2))
        assert np.sum(window * outside) / 0.3173 > 0.85


def test_the_chorus_keeps_the_power_and_detunes_by_a_few_cents() -> None:
    sound = noise(3.0)
    for share in (0.3, 1.0):
        out = Rack(chorus=share).process(sound)
        assert power_db(out) == pytest.approx(power_db(sound), abs=0.5)
        assert power_db(0.5 * out.sum(axis=1)) == pytest.approx(power_db(0.5 * sound.sum(axis=1)), abs=0.5)
    for rate in (0.3, 5.0):
        tone = sine(4.0, 1000.0)
        spectrum = np.abs(np.fft.rfft(Rack(chorus=1.0, chorus_rate=rate).process(tone)[:, 0] * np.hanning(4 * RATE)))
        hz = np.fft.rfftfreq(4 * RATE, 1.0 / RATE)
        share_near = np.sum(spectrum[np.abs(hz - 1000.0) < 2.0] ** 2) / np.sum(spectrum**2)
        assert 0.3 < share_near < 0.9  # the taps are somewhere else
        beyond = np.abs(hz - 1000.0) > 5.0 + 4.0 * rate  # 8.6 cents, and the sidebands of the rate
        assert np.sum(spectrum[beyond] ** 2) / np.sum(spectrum**2) < 1e-3


def test_no_denormals_and_sleep_in_the_end() -> None:
    sound = np.concatenate([sine(0.3, 440.0), np.zeros((4 * RATE, 2), np.float32)])
    rack = Rack(chorus=1.0, delay=1.0, delay_time=0.05, reverb=1.0, reverb_time=1.0)
    out = rack.process(sound)
    assert rack.awake == [0, 0, 0]
    assert np.all(out[-4800:] == 0.0)
    # Stopped in the middle of silence, nothing in any state is denormal.
    rack = Rack(chorus=1.0, delay=1.0, delay_time=2.0, delay_feedback=0.9, reverb=1.0, reverb_time=0.2)
    rack.process(sound[: 3 * RATE])
    for array in (*rack.effects[5:7], *(rack.effects.reverb[name] for name in ("filter", "high_out"))):
        assert not np.any((array != 0.0) & (np.abs(array) < np.finfo(np.float32).tiny))
    for name in ("low_state", "high_out"):
        state = rack.effects.delay[name]
        assert not np.any((state != 0.0) & (np.abs(state) < np.finfo(np.float32).tiny))


def test_no_constant_comes_out_of_a_tone() -> None:
    out = Rack(**ALL_ON).process(sine(3.0, 440.0))[RATE:]
    window = np.blackman(2 * RATE)[:, None]
    assert np.max(np.abs(np.sum(window * out, axis=0) / np.sum(window))) < 1e-6


def test_a_constant_does_not_stay_in_echoes_and_room() -> None:
    constant = np.full((4 * RATE, 2), 0.1, np.float32)
    out = Rack(delay=0.5, delay_time=0.02, delay_feedback=0.95, reverb=1.0, reverb_damping=0.0).process(constant)
    assert abs(float(np.mean(out[-RATE:])) - 0.15) < 0.01  # the sound and its first echo


def test_turned_down_a_room_rings_out_and_silence_ends_it() -> None:
    sound = noise(1.0)
    rack = Rack(reverb=1.0, delay=0.5, delay_time=0.3, delay_feedback=0.9)
    rack.process(sound)
    rack.at((rack.clock, "reverb", 0.0), (rack.clock, "delay", 0.0))
    quiet = np.zeros((RATE, 2), np.float32)
    assert power_db(rack.process(quiet)[:9600]) > -35.0
    assert rack.ring.silence(rack.clock + 100)
    ended = rack.process(quiet)
    assert power_db(ended[:100]) > -50.0
    assert np.max(np.abs(np.diff(ended[:, 0]))) < 0.5 * np.max(np.abs(ended[:100, 0])) + 0.05
    assert np.all(ended[100 + 144 :] == 0.0)


@pytest.mark.parametrize("rate", [8_000, 44_100, 192_000])
def test_times_hold_at_every_sample_rate(rate: int) -> None:
    out = Rack(rate, delay=0.5, delay_time=0.1).process(click(0.15, rate))
    assert int(np.argmax(np.abs(out[1:, 0]))) + 1 == round(0.1 * rate)
    response = room_response(1.1, rate, reverb_time=1.0, reverb_damping=0.0)
    assert fall_time_s(response, rate, 500.0) == pytest.approx(1.0, rel=0.1)
    assert np.all(np.isfinite(Rack(rate, **ALL_ON).process(noise(0.5, rate=rate))))


def test_a_full_ring_says_so_and_a_stranger_is_refused() -> None:
    ring = MixRing()
    for i in range(MIX_PLACES):
        assert ring.push(i, INDEX["reverb"], 0.1)
    assert not ring.push(MIX_PLACES, INDEX["reverb"], 0.1)
    assert ring.dropped == 1
    assert set(MIX_NAMES) == MIX_PARAMETERS
    for index, value in ((INDEX["x"], 0.5), (INDEX["reverb"], float("nan"))):
        with pytest.raises(TetradError, match="The mix was given"):
            ring.push(0, index, value)


def test_absurd_values_become_the_ends_of_the_range() -> None:
    rack = Rack(delay=1e30, delay_time=1e30, delay_feedback=1e30, reverb=1e30, reverb_time=1e-30, chorus_rate=1e30)
    out = rack.process(noise(3.0))
    assert np.max(np.abs(out)) < 10.0
    assert rack.effects.delay["feedback"][0] == pytest.approx(0.95)
    assert rack.effects.delay["tap"][0] == 2 * RATE
