"""Writing sound files: what is in them, and that they are there whole or not at all."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synth.errors import TetradError
from synth.io.wav import open_wav


def noise(n_samples: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.random.default_rng(0).uniform(-0.9, 0.9, (n_samples, 2)).astype(np.float32)


def test_blocks_come_back_with_24_bits(tmp_path: Path) -> None:
    sound = noise(10_000)
    with open_wav(tmp_path / "a.wav", 48_000) as wav:
        for first in range(0, len(sound), 384):
            wav.write(sound[first : first + 384])
        assert not (tmp_path / "a.wav").exists()
    info = soundfile.info(tmp_path / "a.wav")
    assert (info.samplerate, info.channels, info.subtype, info.frames) == (48_000, 2, "PCM_24", 10_000)
    read, _ = soundfile.read(tmp_path / "a.wav", dtype="float64")
    assert np.abs(read - sound).max() <= 2.0**-23
    assert wav.peak == np.abs(sound).max()
    assert (wav.n_samples, wav.n_clipped) == (10_000, 0)


def test_beyond_full_scale_is_clipped_and_counted(tmp_path: Path) -> None:
    with open_wav(tmp_path / "a.wav", 48_000) as wav:
        wav.write(np.array([[0.5, 1.5], [-2.0, 0.0]], np.float32))
    read, _ = soundfile.read(tmp_path / "a.wav")
    assert read == pytest.approx(np.array([[0.5, 1.0], [-1.0, 0.0]]), abs=1e-6)
    assert (wav.n_clipped, wav.peak) == (2, 2.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_nan_is_refused_and_the_old_file_stays(tmp_path: Path, bad: float) -> None:
    (tmp_path / "a.wav").write_bytes(b"old")
    block = noise(100)
    block[70, 1] = bad

    def write() -> None:
        with open_wav(tmp_path / "a.wav", 48_000) as wav:
            wav.write(noise(384))
            wav.write(block)

    with pytest.raises(TetradError, match="the sound at sample 384 is not a number"):
        write()
    assert (tmp_path / "a.wav").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.wav"]


def test_a_missing_directory_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TetradError, match="there is no directory"), open_wav(tmp_path / "no" / "a.wav", 48_000):
        pytest.fail("was opened")
