"""Bends: what is encoded again is what was played, and a bend moves the path where it says."""

import numpy as np
import pytest

from synth.frames import FRAME_RATE_HZ, FRAMES_PER_EMBEDDING
from synth.grid import bend
from synth.grid.heard import stretch_of
from synth.grid.pair_path import BEND_TIMES_S, straight
from synth.grid.played import PlayedPath
from synth.grid.sounded import sounds_16k
from synth.instruments.encoder import Encoder
from synth.instruments.library import Library
from synth.paths import shipped_instruments_dir
from synth.voices.decoder import Decoder
from synth.voices.prepared import PreparedInstrument
from synth.voices.segments import N_LEVELS
from synth.voices.voice import VOICE

KEY, VELOCITY = 58, 115


@pytest.fixture(scope="module")
def played() -> PlayedPath:
    library = Library([shipped_instruments_dir()])
    ends = PreparedInstrument(library.load("kalimba")), PreparedInstrument(library.load("sitar"))
    return PlayedPath(*ends, Decoder(), len(bend.PLACES), len(bend.LISTENED))


def test_levels_become_sound() -> None:
    """A partial of -20 dB that comes up to -14, and a noise band: their levels and frequency are in the sound."""
    voices = np.zeros(2 * 101, VOICE)
    levels = np.zeros((2, 101, N_LEVELS))
    levels[0, :, 1] = np.linspace(0.1, 0.2, 101)
    levels[0, :, 90] = 1.0  # beyond 8 kHz
    levels[1, :, 100 + 30] = 0.1
    voices["level_to"] = levels.reshape(-1, N_LEVELS)
    voices["f0"] = 200.0 / 48_000
    tone, noise = sounds_16k(voices, stretch_of(voices), 2)
    assert tone.shape == (12_800,)
    spectrum = np.abs(np.fft.rfft(tone[-8000:] * np.hanning(8000))) / 2000.0
    assert abs(int(spectrum.argmax()) * 2.0 - 400.0) <= 2.0
    assert spectrum.max() == pytest.approx(np.linspace(0.1, 0.2, 101)[-62:].mean(), rel=0.03)
    assert spectrum[500:].max() < 1e-3
    assert np.sqrt(np.mean(noise**2)) == pytest.approx(0.1, rel=0.1)


def test_the_ends_encode_to_what_they_were_made_of(played: PlayedPath) -> None:
    """At its ends a path is a recording, whose embedding the encoder made: nearer to it than half the way."""
    played.set_path(())
    line = bend.encode_again(played, KEY, VELOCITY, (0.0, 0.0), Encoder())
    assert line.z.shape == line.again.shape == (5, bend.N_EMBEDDINGS, 16)
    scale = line.ends_distance()
    for end in (0, -1):
        assert np.sqrt(np.mean((line.again[end] - line.z[end]) ** 2)) < 0.2 * scale
    np.testing.assert_allclose(line.z[2], 0.5 * (line.z[0] + line.z[-1]), atol=0.35)  # but for alignment
    assert np.abs(line.away()[[0, -1]]).max() < 1e-9


def test_a_bend_takes_part_of_the_disagreement_away(played: PlayedPath) -> None:
    """The pair that disagrees most of those that were measured: 0.24 of its ends' distance, 0.14 with its bend."""
    encoder = Encoder()
    played.set_path(())
    line = bend.encode_again(played, KEY, VELOCITY, (0.0, 0.0), encoder)
    scale = line.ends_distance()
    found = bend.find_bend(played, straight(KEY, VELOCITY), (0.0, 0.0), encoder)
    assert found is not None
    played.set_path([straight(KEY, VELOCITY)._replace(bend=found)])
    bent = bend.encode_again(played, KEY, VELOCITY, (0.0, 0.0), encoder)
    assert bent.disagreement(scale) < 0.8 * line.disagreement(scale)
    np.testing.assert_allclose(bent.z[[0, -1]], line.z[[0, -1]], atol=1e-5)
    late = round(BEND_TIMES_S[4] * FRAME_RATE_HZ / FRAMES_PER_EMBEDDING)  # 0.256 s, at the middle of the path
    moved = bent.z[2, late - 1 : late + 1].mean(axis=0) - line.z[2, late - 1 : late + 1].mean(axis=0)
    np.testing.assert_allclose(moved, found[3, 4], atol=0.03)


def test_a_line_that_agrees_is_left_alone(played: PlayedPath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bend, "WORTH_IT", 0.9)
    assert bend.find_bend(played, straight(KEY, VELOCITY), (0.0, 0.0), Encoder()) is None


def test_a_bend_that_does_not_help_is_dropped(played: PlayedPath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bend, "SHARE", -1.0)  # away from where it was heard
    assert bend.find_bend(played, straight(KEY, VELOCITY), (0.0, 0.0), Encoder()) is None


def test_bends_follow_what_is_away_in_time_and_along_the_path() -> None:
    away = np.zeros((5, bend.N_EMBEDDINGS, 16))
    away[1:-1, :, 0] = np.array([1.0, 2.0, 1.0])[:, None]  # steady
    away[2, 20:, 1] = 4.0  # from 0.64 s on
    found = bend.bend_towards(away, 0.5)
    np.testing.assert_allclose(
        found[:, :, 0], 0.5 * np.array([0.5, 1.0, 1.5, 2.0, 1.5, 1.0, 0.5])[:, None] * np.ones(8)
    )
    assert np.abs(found[3, :4, 1]).max() == 0.0
    assert 1.0 < found[3, 6, 1] <= 2.0
    assert found[3, 7, 1] == found[3, 6, 1]
