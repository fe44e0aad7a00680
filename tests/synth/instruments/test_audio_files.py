"""Audio files of every kind, whole and damaged."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synth.errors import TetradError
from synth.instruments.audio_files import AUDIO_SUFFIXES, LONGEST_S, examine, read_audio, read_note_audio, stretches
from tests.synth.instruments.make_audio import RATE_HZ, SUBTYPES, note, write


@pytest.mark.parametrize("suffix", SUBTYPES)
def test_every_format_is_read(suffix: str, tmp_path: Path) -> None:
    sound = note(60)
    path = write(tmp_path / f"a{suffix}", sound)
    facts = examine(path)
    assert (facts.rate_hz, facts.n_channels, facts.problem) == (RATE_HZ, 1, "")
    raw = read_audio(path)
    assert raw.rate_hz == RATE_HZ
    assert raw.samples.dtype == np.float32
    assert raw.samples.shape == (facts.n_samples, 1)
    assert abs(facts.duration_s - 1.0) < 0.2  # MP3 pads
    error = np.sqrt(np.mean((raw.samples[: len(sound), 0] - sound) ** 2))
    assert error < 0.002 if suffix not in (".ogg", ".mp3") else raw.samples.std() > 0.03


def test_suffixes_are_those_that_are_tested() -> None:
    assert set(SUBTYPES) | {".aif"} == set(AUDIO_SUFFIXES)


@pytest.mark.parametrize(
    ("rate_hz", "subtype", "channels"),
    [(8000, "PCM_U8", 1), (192_000, "FLOAT", 2), (44_100, "PCM_24", 6), (96_000, "DOUBLE", 1)],
)
def test_rates_depths_and_channels(rate_hz: int, subtype: str, channels: int, tmp_path: Path) -> None:
    sound = np.tile(note(60, 0.2)[:, np.newaxis], (1, channels))
    raw = read_audio(write(tmp_path / "a.wav", sound, rate_hz, subtype))
    assert raw.rate_hz == rate_hz
    assert np.abs(raw.samples - sound).max() < (0.01 if subtype == "PCM_U8" else 1e-6)


def test_a_stretch(tmp_path: Path) -> None:
    sound = note(60)
    for suffix in (".wav", ".flac", ".aiff"):
        raw = read_audio(write(tmp_path / f"a{suffix}", sound), 0.25, 0.5)
        assert len(raw.samples) == RATE_HZ // 4
        assert np.abs(raw.samples[:, 0] - sound[RATE_HZ // 4 : RATE_HZ // 2]).max() < 1e-4
    with pytest.raises(TetradError, match="nothing is left"):
        read_audio(tmp_path / "a.wav", 1.5)


def test_samples_that_are_no_numbers_come_as_they_are(tmp_path: Path) -> None:
    sound = note(60)
    sound[100] = np.nan
    path = write(tmp_path / "a.wav", sound, subtype="FLOAT")
    assert np.flatnonzero(np.isnan(read_audio(path).samples[:, 0])).tolist() == [100]
    assert not np.isnan(np.concatenate([s.samples for s in stretches(path, 0.1)])).any()
    with pytest.raises(TetradError, match="NaN"):
        read_note_audio(path)


@pytest.mark.parametrize("suffix", [".wav", ".aiff", ".flac", ".mp3"])
def test_a_file_that_breaks_off_gives_what_is_there(suffix: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"a{suffix}", note(60, 4.0, decay_s=None))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert path.name in examine(path).problem
    n_samples = len(read_audio(path).samples)
    assert 1.2 * RATE_HZ < n_samples < 2.8 * RATE_HZ
    assert sum(len(s.samples) for s in stretches(path, 0.3)) in range(n_samples - 4096, n_samples + 4097)


def test_a_long_file_is_read_in_stretches(tmp_path: Path) -> None:
    sound = np.tile(note(60, 1.0), 130)
    path = write(tmp_path / "a.flac", sound)
    with pytest.raises(TetradError, match=f"130 s.*{LONGEST_S:.0f} s"):
        read_audio(path)
    parts = [s.samples for s in stretches(path, 20.0)]
    assert [len(p) for p in parts] == [20 * RATE_HZ] * 6 + [10 * RATE_HZ]
    assert np.abs(np.concatenate(parts)[:, 0] - sound).max() < 1e-4


def test_what_is_no_audio_is_refused_in_words(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    for name, content, word in (
        ("text.wav", b"This was a text, and then it was renamed.", "text"),
        ("empty.flac", b"", "empty"),
        ("zip.wav", b"PK\3\4" + bytes(60), "does not begin like"),
        ("head.wav", b"RIFF\xff\xff\xff\xffWAVE", "can't be read as audio"),
        ("head.flac", b"fLaC" + bytes(50), "can't be read as audio"),
        ("head.ogg", b"OggS" + bytes(50), "can't be read as audio"),
        ("short.wav", b"RIFF", "can't be read as audio"),
        ("au.wav", b".snd" + bytes(50), "does not begin like"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(TetradError, match=word):
            examine(tmp_path / name)
    soundfile.write(tmp_path / "none.wav", np.zeros(0), RATE_HZ)
    for name, word in (
        ("pipe.wav", "pipe"),
        ("none.wav", "no samples"),
        ("missing.wav", "No such file"),
        ("a\0b.wav", "can't be read"),
        ("", "folder"),
    ):
        with pytest.raises(TetradError, match=word):
            read_audio(tmp_path / name)


@pytest.mark.parametrize("rate_hz", [1, 999, 800_000])
def test_absurd_rates_are_refused(rate_hz: int, tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", note(60, 0.1), rate_hz)
    with pytest.raises(TetradError, match="samples a second"):
        examine(path)
