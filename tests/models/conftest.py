"""A control set that can be computed: tones with two formants each, and their control frames by the book."""

import numpy as np
import pytest
import torch

from models.control_data import ControlSet
from synth.frames import FRAME_RATE_HZ, N_PARTIALS, ROW_WIDTH

torch.set_num_threads(1)  # the networks here are tiny: a second thread costs more in waiting than it computes


@pytest.fixture(scope="session")
def tones() -> ControlSet:
    """24 tones of 4 s: 6 timbres (a tilt in dB per partial) at 4 pitches, decaying by 10 dB/s."""
    time_s = np.arange(64_000) / 16_000.0
    frame_s = np.arange(500) / FRAME_RATE_HZ
    names, pitches, waves, all_rows = [], [], [], []
    for timbre in range(6):
        for pitch in (40, 50, 60, 70):
            f0_hz = 440.0 * 2.0 ** ((pitch - 69) / 12.0)
            rows = np.full((500, ROW_WIDTH), -120.0, np.float32)
            rows[:, -1] = 0.0
            wave = np.zeros(time_s.size)
            for k in range(1, min(N_PARTIALS, int(7500.0 / f0_hz)) + 1):
                level_db = -20.0 - (1.0 + timbre) * k
                rows[:, k - 1] = level_db - 10.0 * frame_s
                wave += 10.0 ** (level_db / 20.0) * np.sin(2.0 * np.pi * k * f0_hz * time_s + k * k)
            names.append(f"tilt{timbre}-{pitch}")
            pitches.append(pitch)
            waves.append(np.round(wave * 10.0 ** (-0.5 * time_s) * 32767.0))
            all_rows.append(rows)
    n = len(names)
    return ControlSet(
        names,
        [name.partition("-")[0] for name in names],
        np.array(pitches, np.float32),
        np.full(n, 100.0, np.float32),
        np.zeros(n, np.float32),
        np.zeros(n, np.float32),
        np.zeros(n, np.float32),
        np.array(waves, np.int16),
        np.array(all_rows, np.float16),
    )
