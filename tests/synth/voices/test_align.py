"""Attacks and releases of unlike lengths become one gesture."""

import numpy as np
import pytest

from synth.control.events import Event, NoteOff, NoteOn, SetParameter
from synth.frames import Float32Array, Float64Array
from synth.instruments.format import Instrument
from synth.voices.align import aligned, rise_fade_db
from synth.voices.landmarks import BEGIN_DB, attack_frames, fall_frames, missing_rise_db
from tests.synth.voices.engine_parts import HOP, Sound, engine, instrument, steady

ONSET = 9600
LET_GO = ONSET + 120 * HOP


def swelling(rise: int, fall: int, seed: int = 0) -> Instrument:
    """From -60 dB to -20 dB in `rise` frames, held, and down again by 60 dB in `fall` frames from frame 150 on."""
    frame = np.arange(320)
    level = -20.0 - 40.0 * np.clip(1.0 - frame / rise, 0.0, 1.0) - 60.0 * np.clip((frame - 150) / fall, 0.0, 1.0)
    rows = steady({1: 0.0, 2: -6.0}, 320).rows
    rows[:, :-1] = -120.0
    rows[:, 0], rows[:, 1] = level, level - 6.0
    return instrument(Sound(rows, (60, 140), 150, seed=seed), name=f"swell {rise} {fall}")


def levels_db(
    *corners: Instrument, x: float, n_frames: int = 250, events: tuple[Event, ...] = (), **more: float
) -> Float64Array:
    """Level of the first partial at the end of each frame, float64 [n_frames], on the northern edge."""
    settings = {"x": x, "y": 1.0, "volume": 0.0} | more
    first = [SetParameter(0, name, value) for name, value in settings.items()]
    off = NoteOff(LET_GO, 0, 60)
    playing = engine(*corners, *corners, events=[*first, NoteOn(ONSET), off, *events], n_voices=1, warm_up=False)
    playing.render(ONSET)
    levels = []
    for _ in range(n_frames):
        playing.render(HOP)
        levels.append(float(playing._conductor._bank["level_to"][:, 0].max()))
    return np.asarray(20.0 * np.log10(np.maximum(levels, 1e-5)))


def onset(levels: Float64Array) -> int:
    return int(np.argmax(levels >= levels[:100].max() - 6.0))


def test_landmarks_of_a_note() -> None:
    swell = np.concatenate([np.linspace(-60.0, -20.0, 41), np.full(100, -20.0), -20.0 - np.arange(60)]).astype(
        np.float32
    )
    assert attack_frames(swell) == 34.0
    assert fall_frames(swell, 141, 1.0) == 41.0
    assert fall_frames(swell, swell.size, 2.0) == 20.0
    assert fall_frames(swell, swell.size, 0.0) == swell.size
    assert attack_frames(swell, BEGIN_DB) == 20.0
    assert missing_rise_db(swell) == missing_rise_db(swell, BEGIN_DB) == 0.0
    late = np.concatenate([np.full(130, -50.0), np.full(20, -20.0)]).astype(np.float32)
    assert attack_frames(late) == 1.0  # its first second is all that counts
    struck = np.linspace(-20.0, -60.0, 100, dtype=np.float32)
    assert (attack_frames(struck), missing_rise_db(struck)) == (1.0, 6.0)
    assert (attack_frames(struck, BEGIN_DB), missing_rise_db(struck, BEGIN_DB)) == (1.0, 20.0)


def test_a_source_s_place_is_continuous_and_where_it_begins_and_its_attack_ends_in_time() -> None:
    times = np.linspace(0.0, 60.0, 6001)
    for begin_now, now in ((1.0, 1.0), (2.0, 7.5), (5.0, 20.0), (16.0, 40.0)):
        places = np.array([aligned(time, 5.0, begin_now, 20.0, now) for time in times])
        assert places[0] == 0.0
        assert np.diff(places).min() > 0.0
        steepest = max(5.0 / begin_now, 15.0 / (now - begin_now) if now > begin_now else 0.0, 1.0)
        if now > begin_now:
            assert np.diff(places).max() <= 0.0101 * steepest
            assert aligned(begin_now, 5.0, begin_now, 20.0, now) == pytest.approx(5.0)
        assert aligned(now, 5.0, begin_now, 20.0, now) == pytest.approx(20.0)
        assert aligned(now + 10.0, 5.0, begin_now, 20.0, now) == pytest.approx(30.0)
    assert all(aligned(time, 5.0, 5.0, 20.0, 20.0) == time for time in times)


def test_what_is_there_at_once_waits_for_its_attack_s_end() -> None:
    places = np.array([aligned(time, 1.0, 4.0, 1.0, 10.0) for time in np.linspace(0.0, 20.0, 2001)])
    assert np.diff(places).min() >= 0.0
    assert places[400:1000] == pytest.approx(1.0)
    assert places[-1] == pytest.approx(11.0)


def test_what_is_there_at_once_is_faded_in_only_where_it_is_made_slower() -> None:
    assert rise_fade_db(5.0, 1.0, 1.0, 1.0, 10.0, 20.0, 6.0) == pytest.approx(-6.0 * 0.9 * 2.0)
    assert rise_fade_db(15.0, 1.0, 5.0, 1.0, 10.0, 20.0, 6.0) == 0.0
    assert rise_fade_db(0.0, 1.0, 1.0, 1.0, 1.0, 20.0, 6.0) == 0.0
    assert rise_fade_db(0.0, 5.0, 1.0, 10.0, 2.0, 0.0, 6.0) == 0.0


@pytest.mark.parametrize("begin_now", [4.0, np.nextafter(4.0, 5.0), np.nextafter(4.0, 3.0)])
def test_a_note_may_be_heard_as_its_attack_ends(begin_now: float) -> None:
    fades = [rise_fade_db(time, 1.0, begin_now, 1.0, 4.0, 20.0, 6.0) for time in (0.0, 3.999, 4.0, 5.0, 6.0)]
    deepest = -2.5 * 20.0 * (1.0 - 1.0 / 16.0)
    assert fades[1] == pytest.approx(deepest, abs=0.01)
    assert fades[2:] == pytest.approx([fades[2], -6.0 * 0.75 * 0.5, 0.0], abs=1e-9)
    assert min(fades) == fades[0] >= deepest - 2.0 * 6.0
    places = [aligned(time, 3.0, begin_now, 3.0, 4.0) for time in (0.0, 2.0, 4.0, 5.0)]
    assert places == pytest.approx([0.0, 1.5, 3.0, 4.0])


def test_its_fade_has_no_jump_and_is_all_there_where_the_note_is_to_be_heard() -> None:
    times = np.linspace(0.0, 20.0, 20_001)
    fades = np.array([rise_fade_db(time, 1.0, 4.0, 1.0, 10.0, 20.0, 6.0) for time in times])
    assert np.all(np.diff(fades) >= 0.0)
    assert np.diff(fades).max() < 0.01
    assert rise_fade_db(4.0, 1.0, 4.0, 1.0, 10.0, 20.0, 6.0) == pytest.approx(-2.5 * 20.0 * (1.0 - 1.0 / 16.0))
    assert rise_fade_db(10.0, 1.0, 4.0, 1.0, 10.0, 20.0, 6.0) == pytest.approx(-6.0 * 0.9)


def test_a_corner_is_read_as_recorded_to_the_bit() -> None:
    short, long = swelling(4, 15), swelling(40, 120, 1)
    for x in (0.0, 1.0):
        np.testing.assert_array_equal(levels_db(short, long, x=x), levels_db(short, long, x=x, evenness=0.0))


def test_attacks_meet_at_the_geometric_mean() -> None:
    short, long = swelling(4, 60), swelling(40, 60, 1)
    ends = [onset(levels_db(short, long, x=x)) for x in (0.0, 1.0)]
    for x in (0.25, 0.5, 0.75):
        found = levels_db(short, long, x=x)
        assert onset(found) == pytest.approx((ends[0] + 1.0) ** (1 - x) * (ends[1] + 1.0) ** x - 1.0, abs=1.5)
    # Without it the middle is the mean of two ramps: at frame 12 one of them has still 28 dB to rise, and 14 is half.
    apart = levels_db(short, long, x=0.5, evenness=0.0)
    assert onset(apart) > onset(levels_db(short, long, x=0.5)) + 10


def test_releases_have_one_length() -> None:
    short, long = swelling(4, 15), swelling(4, 135, 1)

    def fall(x: float, evenness: float = 1.0) -> int:
        levels = levels_db(short, long, x=x, evenness=evenness)[120:]
        return int(np.argmax(levels < levels[0] - 30.0))

    ends = fall(0.0), fall(1.0)
    assert ends == pytest.approx((8, 68), abs=2)
    assert fall(0.5) == pytest.approx(np.sqrt(ends[0] * ends[1]), rel=0.15)


def test_a_finger_that_moves_makes_no_jump() -> None:
    short, long = swelling(4, 60), swelling(40, 60, 1)
    moves = tuple(SetParameter(ONSET + 240 * i, "x", 0.5 + 0.5 * float(np.sin(0.05 * i))) for i in range(180))
    levels: Float64Array = levels_db(short, long, x=0.5, events=moves, n_frames=110)
    still = [levels_db(short, long, x=x, n_frames=110) for x in (0.0, 0.5, 1.0)]
    steepest = max(float(np.abs(np.diff(level[2:])).max()) for level in still)
    assert np.abs(np.diff(levels[2:])).max() < 1.5 * steepest
    assert levels[100:].min() > -30.0


def test_the_same_envelope_is_not_touched() -> None:
    one, other = swelling(12, 60), swelling(12, 60, 1)
    found: Float32Array = np.asarray(levels_db(one, other, x=0.5), np.float32)
    np.testing.assert_allclose(found, levels_db(one, other, x=0.5, evenness=0.0), atol=1e-4)
