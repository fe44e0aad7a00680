"""An instrument is heard beside the playing: to the sample what an engine of its own plays, and nothing else moves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth.audition import END_FADE_S, HELD_S, LENGTH_S, Audition, usual_key
from synth.control.events import NoteOff, NoteOn, SetParameter
from synth.errors import TetradError
from synth.instruments.library import Library
from synth.native import Player as SourcePlayer
from synth.voices.decoder import Decoder
from synth.voices.engine import Engine
from synth.voices.prepared import PreparedInstrument
from tests.listening import wait_until
from tests.ramp import ramp
from tests.synth.test_session import Player

RATE, BLOCK = 48_000, 128


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return Decoder()


@pytest.fixture(scope="module")
def flute() -> PreparedInstrument:
    return PreparedInstrument(Library().load("flute"))


class Stream:
    """A source with what is auditioned, played block by block as a test asks for."""

    def __init__(self, decoder: Decoder) -> None:
        self.audition = Audition(RATE, lambda: decoder)
        self.play_block = SourcePlayer(self.audition.mixed(ramp()))
        self.alone = SourcePlayer(ramp())

    def play(self, n: int) -> np.ndarray[Any, Any]:
        """What the audition adds to the next samples, float32 [n, 2]."""
        added = np.zeros((n, 2), np.float32)
        for first in range(0, n, BLOCK):
            both, alone = (np.zeros((min(BLOCK, n - first), 2), np.float32) for _ in range(2))
            self.play_block(both)
            self.alone(alone)
            added[first : first + BLOCK] = both - alone
        return added

    def all_ready(self) -> None:
        wait_until(lambda: self.audition._told[1] == self.audition._told[2] > 0, "the rendering")


@pytest.fixture
def stream(decoder: Decoder) -> Iterator[Stream]:
    stream = Stream(decoder)
    yield stream
    stream.audition.close()


def rendered(instrument: PreparedInstrument, decoder: Decoder, key: int, velocity: int) -> np.ndarray[Any, Any]:
    engine = Engine([instrument] * 4, decoder, n_voices=1, warm_up=False)
    held = round(HELD_S * RATE)
    for event in (SetParameter(0, "volume", -20.0), NoteOn(0, 0, key, velocity), NoteOff(held, 0, key)):
        engine.push(event)
    return engine.render(round(LENGTH_S * RATE))


def test_what_is_added_is_the_note_and_ends_by_itself(
    stream: Stream, flute: PreparedInstrument, decoder: Decoder
) -> None:
    assert np.abs(stream.play(10 * BLOCK)).max() == 0.0
    assert stream.audition.name == ""
    assert stream.audition.play(flute, 64, 90, -20.0).result(60) == 64
    assert stream.audition.name == "flute"
    stream.all_ready()
    length = round(LENGTH_S * RATE)
    heard = stream.play(length + 1000)
    expected = rendered(flute, decoder, 64, 90)
    unfaded = length - round(END_FADE_S * RATE)
    assert np.abs(heard[:unfaded] - expected[:unfaded]).max() < 1e-6  # the sum was rounded, no more
    assert np.abs(expected).max() > 1e-3
    assert np.all(np.abs(heard[unfaded:length]) <= np.abs(expected[unfaded:]) + 1e-6)
    assert np.abs(heard[length:]).max() == 0.0
    assert stream.audition.name == ""


def test_a_stop_fades_out_and_the_next_one_begins_at_its_beginning(
    stream: Stream, flute: PreparedInstrument, decoder: Decoder
) -> None:
    stream.audition.play(flute, 64, 90, -20.0).result(60)
    stream.all_ready()
    stream.play(RATE // 2)
    stream.audition.stop()
    assert stream.audition.name == ""
    fading = stream.play(RATE // 10)
    assert np.abs(fading[:BLOCK]).max() > 1e-3
    assert np.abs(np.diff(fading, axis=0)).max() < 0.05 * np.abs(fading).max() + 0.02
    assert np.abs(fading[RATE // 50 :]).max() == 0.0
    stream.audition.play(flute, 72, 90, -20.0).result(60)
    stream.all_ready()
    assert np.abs(stream.play(RATE) - rendered(flute, decoder, 72, 90)[:RATE]).max() < 1e-6


def test_without_a_running_output_the_second_one_is_refused_in_words(stream: Stream, flute: PreparedInstrument) -> None:
    assert usual_key(flute) in flute.pitches
    assert stream.audition.play(flute).result(60) == usual_key(flute)
    with pytest.raises(TetradError, match="nothing takes the sound"):
        stream.audition.play(flute).result(60)
    stream.play(RATE)
    assert stream.audition.play(flute, 70).result(60) == 70


def test_the_sum_stays_within_full_scale(decoder: Decoder, flute: PreparedInstrument) -> None:
    inner = Audition(RATE, lambda: decoder)
    outer = Audition(RATE, lambda: decoder)
    play_block = SourcePlayer(outer.mixed(inner.mixed(ramp())))
    for audition in (inner, outer):
        audition.play(flute, 64, 127, 12.0).result(60)
    wait_until(lambda: all(a._told[1] == a._told[2] > 0 for a in (inner, outer)), "both")
    out = np.zeros((RATE, 2), np.float32)
    play_block(out)
    assert 0.9 < np.abs(out).max() <= 1.0
    for audition in (inner, outer):
        audition.close()


@pytest.fixture
def player(tmp_path: Path, decoder: Decoder) -> Iterator[Player]:
    player = Player(tmp_path, decoder)
    yield player
    player.session.close()


def test_the_command_leaves_corners_patch_and_undo_alone(player: Player, decoder: Decoder) -> None:
    with pytest.raises(TetradError, match="nothing can be auditioned here"):
        player.do("audition", instrument="trumpet")
    player.session.audition = Audition(RATE, lambda: decoder)
    play_block = SourcePlayer(player.session.audition.mixed(ramp()))
    before = player.status()
    answer = player.do("audition", instrument="trumpet", key=50)
    assert answer == {"instrument": "trumpet", "key": 50}
    after = player.status()
    assert after["audition"] == {"instrument": "trumpet"}
    assert [after[part] for part in ("corners", "patch", "parameters", "notes")] == [
        before[part] for part in ("corners", "patch", "parameters", "notes")
    ]
    player.do("audition_stop")
    play_block(np.zeros((1000, 2), np.float32))
    assert player.status()["audition"] == {}
    with pytest.raises(TetradError, match="trumpet"):
        player.do("audition", instrument="trumpett")
