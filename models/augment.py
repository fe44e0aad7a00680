"""Augmentation of training pairs for players' own recordings: gain, tuning, filters, room and slight noise.

A pair is a 16 kHz crop and the control frames that were measured of it at 48 kHz. What a player's recording chain does
to the instrument's sound is done to both sides, exactly; what is no part of the instrument, to the sound alone:

- **gain**: the same number of dB on both.
- **tuning**: the crop is played faster or slower, its frames are read at the moved times, the bands at the moved
  frequencies, and f0 goes along.
- **filters** (microphone, loudspeaker, distance): a low shelf, a high shelf and two bells. They are the *analogue*
  prototypes (as in Bristow-Johnson's cookbook, before the bilinear transform), multiplied onto the crop's spectrum, so
  that their response is known in closed form at every frequency, also above 8 kHz, where the crop ends and the targets
  go on. They are minimum-phase: nothing below 8 kHz sounds before it did.
- **room**: exponentially decaying noise after the direct sound, on the sound alone. The target stays dry: the embedding
  is to tell the instrument and not the room it was recorded in, a note played back has the instrument's own release,
  and the synth adds the room that the player asks for.
- **noise**: coloured noise on the sound alone, for the same reason.

The notes of a batch share `n_chains` recording chains (a filter, a room, or both), drawn anew in each call.
"""

import functools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from synth.errors import TetradError
from synth.frames import (
    BAND_CENTRES_HZ,
    ENCODER_RATE_HZ,
    HIGHEST_PARTIAL_HZ,
    LEVEL_FLOOR_DB,
    N_BANDS,
    N_PARTIALS,
    ROW_WIDTH,
    Float32Array,
    Float64Array,
    erb_number,
    partial_frequencies_hz,
)

FRAME_SAMPLES = 128
"""Samples of one control frame at 16 kHz: 8 ms."""
_LONGEST_ROOM_S = 0.256
_CURVE_HZ: Float64Array = np.geomspace(20.0, HIGHEST_PARTIAL_HZ, 256)  # 26 points an octave: targets read between them
_WAVE_HZ: Float64Array = np.concatenate(
    [np.linspace(0.0, 600.0, 151)[:-1], np.linspace(600.0, ENCODER_RATE_HZ / 2, 150)]
)  # steps of 4 Hz and 50 Hz: the crop's spectrum is multiplied by what lies between, as the curves are smooth
_BAND_STEP = float(erb_number(BAND_CENTRES_HZ[1]) - erb_number(BAND_CENTRES_HZ[0]))


@dataclass(frozen=True)
class AugmentConfig:
    """Ranges are symmetric (gain, tuning, filters) or (least, most); shares are probabilities, of each note or chain.

    `filter_db` is the range of each shelf and bell; `room_db` the level of the room's sound below the direct one and
    `room_s` its decay by 60 dB; `noise_db` the level of the noise below the crop's loudest 32 ms.
    """

    gain_db: float = 8.0
    tuning_cents: float = 40.0
    tuning_share: float = 0.2
    filter_db: float = 6.0
    filter_share: float = 0.7
    n_chains: int = 8
    room_db: tuple[float, float] = (8.0, 25.0)
    room_s: tuple[float, float] = (0.15, 0.8)
    room_share: float = 0.4
    noise_db: tuple[float, float] = (35.0, 70.0)
    noise_share: float = 0.5


class Augmented(NamedTuple):
    """`wave` float32 [B, N], `rows` float32 [B, M, 165], `f0_hz` float32 [B]: what `augment` was given, changed."""

    wave: Float32Array
    rows: Float32Array
    f0_hz: Float32Array


class Filters(NamedTuple):
    """F filters. All arrays [F, 4]: low shelf, bell, bell, high shelf."""

    corner_hz: Float64Array
    gain_db: Float64Array
    q: Float64Array


def augment(
    wave: Float32Array,
    rows: Float32Array,
    f0_hz: Float32Array,
    rng: np.random.Generator,
    config: AugmentConfig | None = None,
    inharmonicity: npt.ArrayLike = 0.0,
) -> Augmented:
    """A changed copy of each pair; the same for the same `rng` state.

    Args: `wave` float32 [B, N] at 16 kHz; `rows` [B, M, 165] with N = 128 M, frame i at sample 128 i (NaN, a level that
    is not known, stays); `f0_hz` [B] tuned fundamentals, `inharmonicity` [B] or one for all.
    Raises TetradError for arrays that don't fit each other.
    """
    config = config or AugmentConfig()
    n, n_samples = wave.shape
    if rows.shape != (n, n_samples // FRAME_SAMPLES, ROW_WIDTH) or n_samples % FRAME_SAMPLES or f0_hz.shape != (n,):
        raise TetradError(
            f"a batch has wave {wave.shape}, rows {rows.shape}, f0 {f0_hz.shape}; expected [B, {FRAME_SAMPLES} M], "
            f"[B, M, {ROW_WIDTH}] and [B]"
        )
    wave, rows = wave.astype(np.float32), rows.astype(np.float32)
    f0_hz = f0_hz.astype(np.float32)
    n_room = round(_LONGEST_ROOM_S * ENCODER_RATE_HZ)
    n_fft = fast_length(n_samples + n_room)
    lengths = retuned_lengths(n_fft, config.tuning_cents)
    length = np.where(rng.random(n) < config.tuning_share, rng.choice(lengths, n), n_fft)

    filtered = rng.random(config.n_chains) < config.filter_share
    reverberant = rng.random(config.n_chains) < config.room_share
    filters = draw_filters(rng, config.n_chains, config.filter_db)
    filters.gain_db[~filtered] = 0.0
    rooms = np.zeros((config.n_chains, n_room), np.float32)
    for i in np.flatnonzero(reverberant):
        rooms[i] = draw_room(rng, config)
    chain: npt.NDArray[np.intp] = rng.integers(config.n_chains, size=(n,))
    gain_db = rng.uniform(-config.gain_db, config.gain_db, (n,))
    busy = np.flatnonzero((filtered | reverberant)[chain] | (length != n_fft))
    wave[busy] = through(wave[busy], filters, rooms, chain[busy], n_fft, length[busy])
    partial_hz = partial_frequencies_hz(f0_hz, np.broadcast_to(inharmonicity, (n,)))
    levels = rows[:, :, :-1]
    silent = levels <= LEVEL_FLOOR_DB
    levels += (target_db(filters, chain, partial_hz) + gain_db[:, None]).astype(np.float32)[:, None, :]
    np.maximum(levels, LEVEL_FLOOR_DB, out=levels)
    levels[silent] = LEVEL_FLOOR_DB
    for i in np.flatnonzero(length != n_fft):
        rows[i] = retuned_rows(rows[i], n_fft / length[i])
        f0_hz[i] *= n_fft / length[i]
    _add_noise(wave, rng, config)
    wave *= (10.0 ** (gain_db / 20.0)).astype(np.float32)[:, None]
    return Augmented(wave, rows, f0_hz)


def fast_length(least: int) -> int:
    """The least even number from `least` on without a prime factor above 7, which a Fourier transform is fast for."""
    candidate = least + least % 2
    while True:
        rest = candidate
        for factor in (2, 3, 5, 7):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return candidate
        candidate += 2


@functools.cache
def retuned_lengths(n_fft: int, most_cents: float) -> tuple[int, ...]:
    """Lengths to which a spectrum of `n_fft` samples can be brought back fast, within `most_cents` of it either way.

    Near 20,000 samples they lie some 5 cents apart.
    """
    least, most = (int(n_fft * 2.0 ** (cents / 1200.0)) for cents in (-most_cents, most_cents))
    lengths = {n_fft}
    candidate = fast_length(least)
    while candidate <= most:
        lengths.add(candidate)
        candidate = fast_length(candidate + 2)
    return tuple(sorted(lengths))


def retuned_rows(rows: Float32Array, ratio: float) -> Float32Array:
    """The rows [M, 165] of a crop that is played `ratio` times as fast, as from a tape: higher and shorter.

    Where a faster crop has come to its end the rows are silent. The deviation stays: it is relative to f0, which goes
    along.
    """
    n_frames = rows.shape[0]
    at = np.arange(n_frames) * ratio
    low = np.minimum(at.astype(np.intp), n_frames - 1)
    high = np.minimum(low + 1, n_frames - 1)
    mix = (at - low).astype(np.float32)[:, None]
    new = rows[low] + mix * (rows[high] - rows[low])
    # A band holds what was lower by the ratio: read the levels between the old bands' centres.
    band = np.arange(N_BANDS) - (erb_number(BAND_CENTRES_HZ) - erb_number(BAND_CENTRES_HZ / ratio)) / _BAND_STEP
    band = np.clip(band, 0.0, N_BANDS - 1.0)
    below = np.minimum(band.astype(np.intp), N_BANDS - 2)
    share = (band - below).astype(np.float32)
    bands = new[:, N_PARTIALS:-1]
    # Not below * (1 - share): a band that falls on an old one does not read its unknown (NaN) neighbour.
    new[:, N_PARTIALS:-1] = np.where(
        share == 0.0, bands[:, below], bands[:, below] + share * (bands[:, below + 1] - bands[:, below])
    )
    new[at > n_frames - 1, :-1] = LEVEL_FLOOR_DB
    return new


def draw_filters(rng: np.random.Generator, n_filters: int, most_db: float) -> Filters:
    """Random low shelf (60 to 400 Hz), two bells (150 Hz to 6 kHz, Q 0.4 to 1.5) and high shelf (1.5 to 7 kHz)."""
    low, high = np.log([60.0, 150.0, 150.0, 1500.0]), np.log([400.0, 6000.0, 6000.0, 7000.0])
    corner_hz = np.exp(rng.uniform(low, high, (n_filters, 4)))
    gain_db = rng.uniform(-most_db, most_db, (n_filters, 4))
    q = np.exp(rng.uniform(np.log(0.4), np.log(1.5), (n_filters, 4)))
    q[:, [0, 3]] = np.sqrt(0.5)  # shelves without a bump
    return Filters(corner_hz, gain_db, q)


def filter_response(filters: Filters, frequency_hz: npt.ArrayLike) -> npt.NDArray[np.complex128]:
    """Complex response of each filter at frequencies [K]: [F, K]. 1 is unchanged.

    With s = j f / f_c, A = 10^(dB / 40) and r = s sqrt(A) / Q: bell (s^2 + s A / Q + 1) / (s^2 + s / (A Q) + 1),
    low shelf A (s^2 + r + A) / (A s^2 + r + 1), high shelf A (A s^2 + r + 1) / (s^2 + r + A).
    """
    s = 1j * np.asarray(frequency_hz, np.float64)[None, None, :] / filters.corner_hz[:, :, None]
    a = 10.0 ** (filters.gain_db / 40.0)[:, :, None]
    q = filters.q[:, :, None]
    square = s * s
    bell = (square + s * (a / q) + 1.0) / (square + s / (a * q) + 1.0)
    slope = s * (np.sqrt(a) / q)
    low_shelf = a * (square + slope + a) / (a * square + slope + 1.0)
    high_shelf = a * (a * square + slope + 1.0) / (square + slope + a)
    response: npt.NDArray[np.complex128] = low_shelf[:, 0] * bell[:, 1] * bell[:, 2] * high_shelf[:, 3]
    return response


def draw_room(rng: np.random.Generator, config: AugmentConfig) -> Float32Array:
    """The sound of a room after the direct one: float32 [4096] at 16 kHz, from 2 ms on, energy as `room_db` says."""
    n = round(_LONGEST_ROOM_S * ENCODER_RATE_HZ)
    time_s = np.arange(n) / ENCODER_RATE_HZ
    decay_s = np.exp(rng.uniform(*np.log(config.room_s)))
    tail = rng.standard_normal(n) * 10.0 ** (-3.0 * time_s / decay_s)
    tail[: ENCODER_RATE_HZ // 500] = 0.0
    level_db = -rng.uniform(*config.room_db)
    return np.asarray(tail * (10.0 ** (level_db / 20.0) / np.sqrt(np.sum(tail**2))), np.float32)


def through(
    wave: Float32Array,
    filters: Filters,
    rooms: Float32Array,
    chain: npt.NDArray[np.intp],
    n_fft: int,
    length: npt.NDArray[np.intp],
) -> Float32Array:
    """Notes float32 [B, N] at 16 kHz through the filter and the room [F, R] of their chain [B], in one multiplication.

    A room is what follows the direct sound: zeros for none. `n_fft` at least N + R; the spectrum is brought back as
    `length` [B] samples, which plays the note n_fft / length times as fast.
    """
    n_samples = wave.shape[1]
    grid_hz = np.arange(n_fft // 2 + 1) * (ENCODER_RATE_HZ / n_fft)
    responses = np.ones((len(rooms), grid_hz.size), np.complex64)
    curves = filter_response(filters, _WAVE_HZ)
    sounding = np.flatnonzero(rooms.any(axis=1))
    responses[sounding] += np.fft.rfft(rooms[sounding], n_fft, axis=1)
    for used in np.flatnonzero(filters.gain_db.any(axis=1)):
        responses[used] *= np.interp(grid_hz, _WAVE_HZ, curves[used])
    spectrum = np.fft.rfft(wave, n_fft, axis=1)
    for note in range(len(wave)):
        spectrum[note] *= responses[chain[note]]
    result = np.zeros_like(wave)
    kept = length == n_fft
    result[kept] = np.fft.irfft(spectrum[kept], n_fft, axis=1)[:, :n_samples]
    for retuned in np.flatnonzero(~kept):
        n_back = int(length[retuned])
        back = np.fft.irfft(spectrum[retuned], n_back)[:n_samples] * np.float32(n_back / n_fft)
        result[retuned, : back.size] = back
    return result


def target_db(filters: Filters, chain: npt.NDArray[np.intp], partial_hz: Float64Array) -> Float64Array:
    """What the filter of each note's chain [B] adds to the levels of its row in dB: [B, 164]. `partial_hz` [B, 100]."""
    curves_db = 20.0 * np.log10(np.abs(filter_response(filters, _CURVE_HZ)))
    frequency_hz = np.concatenate([partial_hz, np.broadcast_to(BAND_CENTRES_HZ, (len(chain), N_BANDS))], axis=1)
    # The grid is even in log frequency, so the place between two of its points is one logarithm away.
    at = np.log(frequency_hz / _CURVE_HZ[0]) * ((_CURVE_HZ.size - 1) / np.log(_CURVE_HZ[-1] / _CURVE_HZ[0]))
    at = np.clip(at, 0.0, _CURVE_HZ.size - 1.001)
    low = at.astype(np.intp)
    below, above = curves_db[chain[:, None], low], curves_db[chain[:, None], low + 1]
    result: Float64Array = below + (at - low) * (above - below)
    return result


def _add_noise(wave: Float32Array, rng: np.random.Generator, config: AugmentConfig) -> None:
    """Noise between white and brown (power falling by 0 to 6 dB an octave) onto some notes, in place.

    The notes cut their noise from one recording of it, two crops long.
    """
    n, n_samples = wave.shape
    n_noise = 2 * n_samples
    spectrum = np.fft.rfft(rng.standard_normal(n_noise, dtype=np.float32))
    frequency_hz = np.maximum(np.arange(spectrum.size) * (ENCODER_RATE_HZ / n_noise), 30.0)
    spectrum *= np.asarray(frequency_hz ** -rng.uniform(0.0, 1.0), np.float32)
    noise = np.fft.irfft(spectrum, n_noise)
    noise /= np.sqrt(np.mean(noise**2))
    level_db: Float64Array = rng.uniform(-config.noise_db[1], -config.noise_db[0], (n,))
    start: npt.NDArray[np.intp] = rng.integers(n_noise - n_samples + 1, size=(n,))
    noisy = rng.random(n) < config.noise_share
    n_whole = n_samples // 512 * 512
    power = (
        np.mean(np.square(wave[:, :n_whole]).reshape(n, -1, 512), axis=2) if n_whole else np.mean(wave**2, 1)[:, None]
    )
    loudest = np.sqrt(power.max(axis=1))
    for i in np.flatnonzero(noisy):
        wave[i] += noise[start[i] : start[i] + n_samples] * np.float32(loudest[i] * 10.0 ** (level_db[i] / 20.0))
