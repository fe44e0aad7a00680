"""Notes with a place, a pitch, a light and a level of their own (MPE, poly pressure)."""

import numpy as np
import pytest

from synth.control.events import (
    Dimension,
    Event,
    NoteExpression,
    NoteOff,
    NoteOn,
    ResetControllers,
    SetParameter,
    SustainPedal,
)
from synth.frames import Float32Array, pitch_to_hz
from synth.instruments.format import Instrument
from synth.voices.plan import SMOOTHING_S, TARGET
from tests.synth.voices.engine_parts import (
    HOP,
    RATE,
    cents,
    engine,
    instrument,
    peak_frequency_hz,
    sine_level_db,
    steady,
)

UNITY = SetParameter(0, "volume", 0.0)
F0_HZ = float(pitch_to_hz(60))
LOUD, SOFT = instrument(steady({1: -20})), instrument(steady({1: -40}, seed=1))


def play(*events: Event, corners: tuple[Instrument, ...] = (LOUD,), n_samples: int = RATE) -> Float32Array:
    out: Float32Array = engine(*corners, events=[UNITY, *events]).render(n_samples)[:, 0]
    return out


@pytest.mark.parametrize("key", [None, 60], ids=["channel", "key"])
def test_a_note_has_its_own_point_on_the_surface(key: int | None) -> None:
    """West is loud, east is soft, the finger is in the west; only the note that is told so goes east."""
    notes: list[Event] = [SetParameter(0, "x", 0.0), NoteOn(0, 1, 60), NoteOn(0, 2, 72)]
    out = play(*notes, NoteExpression(9600, 1, key, Dimension.X, 1.0), corners=(LOUD, SOFT, LOUD, SOFT))
    end = out[19_200:]
    assert sine_level_db(end, F0_HZ) == pytest.approx(-40.0, abs=0.05)
    alone = play(*notes, corners=(LOUD, SOFT, LOUD, SOFT))[19_200:]
    assert sine_level_db(end, 2 * F0_HZ) == pytest.approx(sine_level_db(alone, 2 * F0_HZ), abs=0.01)


def test_the_point_is_the_fingers_plus_the_notes_and_stays_on_the_surface() -> None:
    corners = (LOUD, SOFT, LOUD, SOFT)
    own = [NoteOn(0), NoteExpression(0, 0, None, Dimension.X, 0.25), NoteExpression(0, 0, 60, Dimension.X, 0.15)]
    for x, wanted in ((0.1, 0.5), (0.9, 1.0)):
        out = play(SetParameter(0, "x", x), *own, corners=corners)[9600:]
        other = play(SetParameter(0, "x", wanted), NoteOn(0), corners=corners)[9600:]
        np.testing.assert_allclose(out, other, atol=1e-6)


@pytest.mark.parametrize(
    ("dimension", "value", "parameter", "same_value"),
    [
        (Dimension.Y, -0.4, "y", 0.1),
        (Dimension.BEND, 0.7, "detune", 70.0),
        (Dimension.BRIGHTNESS, 3.0, "brightness", 3.0),
        (Dimension.LEVEL, -9.0, "volume", -9.0),
        (Dimension.VIBRATO, 30.0, "vibrato_depth", 30.0),
    ],
)
def test_a_dimension_is_what_the_parameter_would_be(
    dimension: Dimension, value: float, parameter: str, same_value: float
) -> None:
    corners = (LOUD, LOUD, SOFT, SOFT)
    own = play(NoteOn(0), NoteExpression(0, 0, None, dimension, value), corners=corners)
    same = play(SetParameter(0, parameter, same_value), NoteOn(0), corners=corners)
    # The note's own glides from its onset on, 10 ms; the network hears a bend, but no detuning.
    for first in (9600, 38_400):
        levels = [sine_level_db(out[first : first + 9600], F0_HZ * 2 ** (0.7 / 12)) for out in (own, same)]
        assert levels[0] == pytest.approx(levels[1], abs=0.1)
    assert np.std(own[9600:]) == pytest.approx(np.std(same[9600:]), rel=0.01)


def test_a_dimension_glides_and_does_not_click() -> None:
    for dimension, value in ((Dimension.LEVEL, -40.0), (Dimension.BEND, 2.0), (Dimension.X, 1.0)):
        move = NoteExpression(24_007, 0, 60, dimension, value)
        out = play(SetParameter(0, "x", 0.0), NoteOn(0), move, corners=(LOUD, SOFT, LOUD, SOFT))
        assert np.max(np.abs(np.diff(out[4800:]))) < 1.13 * 0.1 * 2.0 * np.pi * F0_HZ / RATE
        assert np.max(np.abs(np.diff(out[4800:], 2))) < 0.02 * 0.1


def test_a_dimension_arrives_within_a_tick_and_its_smoothing() -> None:
    out = play(NoteOn(0), NoteExpression(24_000, 0, None, Dimension.LEVEL, -20.0))
    settled = 24_000 + 2 * HOP + round(5 * SMOOTHING_S * RATE)
    assert sine_level_db(out[settled : settled + 4800], F0_HZ) == pytest.approx(-40.0, abs=0.2)
    moved = 24_000 + 2 * HOP
    assert sine_level_db(out[moved : moved + 480], F0_HZ) < -21.0


def test_a_channels_dimension_is_for_notes_to_come_and_a_keys_is_not() -> None:
    bends = [NoteExpression(0, 3, None, Dimension.BEND, 1.0), NoteExpression(0, 3, 60, Dimension.BEND, 1.0)]
    out = play(*bends, NoteOn(4800, 3, 60))[9600:]
    assert abs(cents(peak_frequency_hz(out, 277.0), float(pitch_to_hz(61)))) < 0.1


def test_a_note_that_was_let_go_keeps_what_it_had() -> None:
    """The next note of an MPE channel sets it anew, and the one that rings out must not follow."""
    before = [NoteExpression(0, 1, None, Dimension.BEND, 1.0), NoteOn(0, 1, 60), SetParameter(0, "release", 10.0)]
    off = [NoteOff(24_000, 1, 60)]
    others = [NoteExpression(24_000, 1, None, Dimension.BEND, -3.0), NoteExpression(24_500, 1, 60, Dimension.BEND, 5.0)]
    ringing = play(*before, *off, *others)
    np.testing.assert_allclose(ringing, play(*before, *off), atol=1e-7)
    held = play(*before, SustainPedal(0, 1, True), *off, *others)[30_000:]
    assert abs(cents(peak_frequency_hz(held, 290.0), float(pitch_to_hz(62)))) < 0.1


def test_a_glide_that_a_release_interrupts_goes_on() -> None:
    events = [NoteOn(0, 1, 60), SetParameter(0, "release", 10.0), NoteExpression(24_000, 1, None, Dimension.BEND, 4.0)]
    out = play(*events, NoteOff(24_300, 1, 60))
    assert abs(cents(peak_frequency_hz(out[28_800:33_600], 329.0), float(pitch_to_hz(64)))) < 3.0
    assert np.max(np.abs(np.diff(out[4800:]))) < 1.28 * 0.1 * 2.0 * np.pi * F0_HZ / RATE


def test_reset_controllers_takes_all_of_it_back() -> None:
    own = [
        NoteExpression(0, 0, None, Dimension.BEND, 1.0),
        NoteOn(0),
        NoteExpression(10, 0, 60, Dimension.LEVEL, -20.0),
    ]
    out = play(*own, ResetControllers(9600, 0))[19_200:]
    assert sine_level_db(out, F0_HZ) == pytest.approx(-20.0, abs=0.05)


def test_absurd_sums_stay_finite() -> None:
    settings = [SetParameter(0, "brightness", 6.0), SetParameter(0, "volume", 12.0), SetParameter(0, "detune", 100.0)]
    own = [
        NoteExpression(0, 0, key, dimension, value)
        for key in (None, 127)
        for dimension, value in ((Dimension.BEND, 96.0), (Dimension.BRIGHTNESS, 6.0), (Dimension.LEVEL, 12.0))
    ]
    low = [NoteExpression(0, 1, None, Dimension.BEND, -96.0), NoteOn(0, 1, 0)]
    made = engine(LOUD, events=[*settings, NoteOn(0, 0, 127), *own, *low])
    out = made.render(RATE)
    assert np.all(np.isfinite(out))
    assert np.max(np.abs(out)) <= 1.0


def test_smoothing_leaves_no_denormals() -> None:
    made = engine(LOUD, events=[UNITY, SetParameter(0, "x", 1.0), NoteOn(0), SetParameter(100, "x", 0.0)])
    made.push(NoteExpression(100, 0, 60, Dimension.LEVEL, -20.0))
    made.push(NoteExpression(RATE, 0, 60, Dimension.LEVEL, 0.0))
    made.render(RATE * 10)
    bank, work = made._conductor._bank, made._conductor._work
    assert np.all(bank["expression"][..., TARGET] == 0.0)
    for name in ("weight", "extra_db", "semitones"):
        values = np.abs(work[name][:1])
        assert np.all((values == 0.0) | (values > 1e-300))
    assert np.count_nonzero(work["weight"][0]) == 2
