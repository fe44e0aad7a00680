"""Who has to go when there are too many: the note that is missed least, without a click."""

import numpy as np
import pytest

from synth.control.events import ChannelLevel, Event, NoteOff, NoteOn, SetParameter, SustainPedal, VoiceLimit
from synth.errors import TetradError
from synth.frames import pitch_to_hz
from synth.instruments.format import Instrument
from synth.voices.engine import Engine
from tests.synth.voices.engine_parts import RATE, Sound, engine, instrument, silent_rows, steady

UNITY = SetParameter(0, "volume", 0.0)


def sine() -> Instrument:
    return instrument(steady({1: -20}))


def sounding_keys(made: Engine) -> list[int]:
    bank = made._conductor._bank
    return sorted(int(key) for key in bank["key"][bank["state"] != 0])


def after(events: list[Event], n_samples: int, corner: Instrument | None = None, n_voices: int = 3) -> list[int]:
    made = engine(corner or sine(), events=[UNITY, *events], n_voices=n_voices)
    made.render(n_samples)
    return sounding_keys(made)


def test_loudness_is_k_weighted() -> None:
    """Partial 1 of key 24 at 33 Hz is the largest amplitude, and the least heard."""
    layers = [steady({1: -20}, pitch=24), steady({1: -24}, pitch=72, seed=1), steady({1: -24}, pitch=84, seed=2)]
    notes: list[Event] = [NoteOn(0, 0, 24), NoteOn(0, 0, 72), NoteOn(0, 0, 84), NoteOn(24_000, 0, 60)]
    assert after(notes, 30_000, instrument(*layers)) == [60, 72, 84]


def test_what_a_player_adds_counts() -> None:
    layers = [steady({1: -20}, velocity=v, seed=v) for v in (60, 90)]
    notes: list[Event] = [NoteOn(0, 0, 60), NoteOn(0, 1, 62), NoteOn(0, 0, 64), NoteOn(24_000, 0, 72)]
    quiet = ChannelLevel(9600, 1, volume_db=-20.0)
    assert after([*notes, quiet], 30_000, instrument(*layers)) == [60, 64, 72]


def test_a_note_that_swells_is_worth_what_it_will_be() -> None:
    """0.15 s after its onset the swelling note is far below the others, and will be above them 0.1 s later."""
    rows = silent_rows(200)
    rows[:, 0] = -50.0
    rows[30:, 0] = -10.0
    swelling = Sound(rows, (40, 150), 155, pitch=72, seed=1)
    notes: list[Event] = [NoteOn(0, 0, 60), NoteOn(0, 0, 61), NoteOn(24_000, 0, 72), NoteOn(31_200, 0, 62)]
    corner = instrument(steady({1: -20}, pitch=61), swelling)
    kept = after(notes, 40_000, corner)
    assert 72 in kept
    assert 62 in kept


def test_an_attack_of_the_players_counts_likewise() -> None:
    slow = [SetParameter(23_000, "attack", 0.3), NoteOn(24_000, 0, 72)]
    notes: list[Event] = [NoteOn(0, 0, 60, 60), NoteOn(0, 0, 62, 60), *slow, NoteOn(26_500, 0, 64, 60)]
    assert 72 in after(notes, 30_000)


def test_a_chord_does_not_steal_from_itself() -> None:
    """The new notes are the softest of all, and stay."""
    first: list[Event] = [NoteOn(0, 0, key, 120) for key in range(40, 56)]
    chord: list[Event] = [NoteOn(24_000 + 50 * i, 0, 70 + i, 5) for i in range(8)]
    kept = after([*first, *chord], 30_000, n_voices=16)
    assert [key for key in kept if key >= 70] == list(range(70, 78))
    assert len(kept) == 16


def test_a_pedal_holds_but_does_not_protect() -> None:
    notes: list[Event] = [SustainPedal(0, 0, True), NoteOn(0, 0, 60, 30), NoteOff(9600, 0, 60), NoteOn(0, 0, 62)]
    assert after([*notes, NoteOn(0, 0, 64), NoteOn(24_000, 0, 72)], 30_000) == [62, 64, 72]


def test_a_lower_limit_fades_out_the_least_audible_and_never_the_newest() -> None:
    notes: list[Event] = [NoteOn(1000 * i, 0, 60 + i, velocity) for i, velocity in enumerate((30, 120, 60, 100, 5))]
    made = engine(sine(), events=[UNITY, *notes, VoiceLimit(24_000, 3)], n_voices=8)
    made.render(24_200)
    assert sounding_keys(made) == [61, 63, 64]
    assert made.status()["voice_limit"] == 3
    for event in (NoteOn(25_000, 0, 72), VoiceLimit(30_000, 8), NoteOn(31_000, 0, 74)):
        made.push(event)
    made.render(5800)
    assert len(sounding_keys(made)) == 3
    assert 72 in sounding_keys(made)
    made.render(9000)
    assert len(sounding_keys(made)) == 4


def test_a_limit_below_a_unison_note_thins_it() -> None:
    made = engine(sine(), events=[SetParameter(0, "unison", 6.0), NoteOn(0), VoiceLimit(24_000, 2)], n_voices=8)
    made.render(30_000)
    assert sounding_keys(made) == [60, 60]


def test_a_limit_above_the_engines_is_the_engines() -> None:
    made = engine(sine(), events=[VoiceLimit(0, 4096)], n_voices=4)
    made.render(10)
    assert made.status()["voice_limit"] == 4
    with pytest.raises(TetradError, match="voices"):
        VoiceLimit(0, 0)


def test_lowering_the_limit_does_not_click() -> None:
    notes: list[Event] = [NoteOn(0, i, 60) for i in range(4)]
    out = engine(sine(), events=[UNITY, *notes, VoiceLimit(24_007, 1)]).render(RATE)[:, 0]
    slope = 4 * 0.1 * 2.0 * np.pi * float(pitch_to_hz(60)) / RATE
    assert np.max(np.abs(np.diff(out[4800:]))) < slope + 3 * 0.1 / 144
    assert np.max(np.abs(out[:24_000])) > 0.35
    assert np.max(np.abs(out[24_300:])) < 0.11
