"""What sounding notes' spectra look like, coarsely: eight octaves each, for screens that show a note as light.

Read from the control half's memory of what it sent last (VOICE records), when somebody asks for a status; neither the
renderer nor the kernels know of it. It is as far ahead of the sound as the conductor is, some 5 ms.
"""

import numpy as np

from synth.frames import BAND_CENTRES_HZ, N_BANDS, N_PARTIALS, Float64Array
from synth.voices.segments import Int64Array, Records

N_OCTAVES = 8
OCTAVE_EDGES_HZ: Float64Array = np.ldexp(62.5, np.arange(N_OCTAVES + 1))
"""62.5 Hz to 16 kHz. What lies below belongs to the lowest octave, what lies above to the highest."""
FLOOR_DB = -120.0

_NUMBERS = np.arange(1.0, N_PARTIALS + 1.0)


def octave_of(frequency_hz: Float64Array) -> Int64Array:
    """Number of the octave, 0..7, that a frequency is in; any shape."""
    octaves = np.log2(np.maximum(frequency_hz, 1.0) / OCTAVE_EDGES_HZ[0])
    return np.asarray(np.clip(octaves, 0.0, N_OCTAVES - 1.0), np.int64)  # positive by then: cut off is rounded down


_TO_OCTAVES: Float64Array = np.eye(N_OCTAVES)[octave_of(BAND_CENTRES_HZ)]  # [64, 8]


def octave_powers(voices: Records, time_samples: int, sample_rate_hz: int) -> Float64Array:
    """Power (mean square, both channels together; 1 is 0 dB) of each octave of VOICE records [V] at a sample: [V, 8].

    A residual, whose spectrum nobody knows without a transform, counts with the same power in each octave.
    """
    n = voices.shape[0]
    length = np.maximum(voices["ramp_length"], 1)
    share = np.clip((time_samples - voices["ramp_start"]) / length, 0.0, 1.0)[:, None]
    level = voices["level_from"] + share * (voices["level_to"] - voices["level_from"])
    law = _NUMBERS * np.sqrt(1.0 + voices["inharmonicity"][:, None] * _NUMBERS**2)
    stretch = np.where(voices["free_partials"][:, None] != 0, voices["stretch"], law)
    octave = octave_of(voices["f0"][:, None] * stretch * sample_rate_hz)
    places = octave + N_OCTAVES * np.arange(n)[:, None]
    partials = 0.5 * level[:, :N_PARTIALS].astype(np.float64) ** 2  # of a sine with that amplitude
    power = np.bincount(places.ravel(), partials.ravel(), minlength=n * N_OCTAVES).reshape(n, N_OCTAVES)
    power += level[:, N_PARTIALS : N_PARTIALS + N_BANDS].astype(np.float64) ** 2 @ _TO_OCTAVES
    residual = voices["residual_from"] + share[:, 0] * (voices["residual_to"] - voices["residual_from"])
    power += (residual**2 / N_OCTAVES)[:, None]
    return np.asarray(power * (voices["gain"] ** 2).sum(axis=1)[:, None])


def decibels(power: Float64Array) -> list[list[float]]:
    """Of powers [N, 8], to a tenth, at least FLOOR_DB."""
    levels: list[list[float]] = np.round(10.0 * np.log10(np.maximum(power, 10.0 ** (FLOOR_DB / 10.0))), 1).tolist()
    return levels
