"""Integrated loudness against what the standard and EBU Tech 3341 say of test signals."""

import numpy as np
import pytest

from models.morph.loudness import loudness_lufs
from synth.errors import TetradError


def sine(level_dbfs: float, seconds: float, frequency_hz: float = 997.0) -> np.ndarray:
    n = np.arange(round(seconds * 48_000))
    return 10.0 ** (level_dbfs / 20.0) * np.sin(2.0 * np.pi * frequency_hz * n / 48_000)


def test_a_full_scale_sine_of_one_channel() -> None:
    assert loudness_lufs(sine(0.0, 3.0)) == pytest.approx(-3.01, abs=0.02)


def test_a_low_sine_is_weighted_down() -> None:
    """BS.1770-4's high-pass has -5.6 dB at 40 Hz, 5.6 + 0.7 below its gain at 997 Hz."""
    assert loudness_lufs(sine(0.0, 3.0, 40.0)) == pytest.approx(-3.01 - 6.4, abs=0.3)


def test_gates_of_ebu_tech_3341() -> None:
    """Case 3: -36, -23, -36 dBFS; case 4 with -72 dBFS around. In stereo both are -23 LUFS, so one channel -26.01."""
    relative = np.concatenate([sine(-36.0, 10.0), sine(-23.0, 60.0), sine(-36.0, 10.0)])
    absolute = np.concatenate([sine(-72.0, 10.0), relative, sine(-72.0, 10.0)])
    assert loudness_lufs(relative) == pytest.approx(-26.01, abs=0.1)
    assert loudness_lufs(absolute) == pytest.approx(-26.01, abs=0.1)


def test_silence_and_what_is_too_short() -> None:
    assert loudness_lufs(np.zeros(48_000)) == float("-inf")
    with pytest.raises(TetradError, match="19200"):
        loudness_lufs(np.ones(19_199))
    with pytest.raises(TetradError, match=r"\[2, 48000\]"):
        loudness_lufs(np.ones((2, 48_000)))
