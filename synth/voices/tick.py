"""The second half of a control tick: from the network's answer to segments."""

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial

from synth.frames import (
    BAND_CENTRES_HZ,
    BAND_K_WEIGHTING_DB,
    HIGHEST_PARTIAL_HZ,
    LEVEL_FLOOR_DB,
    N_BANDS,
    N_PARTIALS,
)
from synth.jit import njit
from synth.voices.oscillators import sine_of_phase
from synth.voices.plan import TOP
from synth.voices.residual import aim_residual, duck_now
from synth.voices.segments import FREE_AT_END, FREE_PARTIALS, N_LEVELS, NEW_VOICE, RING_PLACES
from synth.voices.stretch import fill_free, fill_law
from synth.voices.voice import FREE, HELD, NEVER

SILENT_POWER = 1e-9
"""-90 dBFS: a released voice below it is over."""
LOUDNESS_MATCH_LIMIT_DB = 24.0
OFFSET_LIMIT_DB = 24.0
OFFSET_FADE_S = 0.3
RELEASE_BOOST_LIMIT_DB = 24.0
_FADED_HOLD_DB = -30.0
_SMALLEST_AMPLITUDE = 1e-5  # -100 dBFS
_UNLIKE = 8.0
"""Times the relative variance of the corners' stiffness; 1, the most, a fifth of the way from piano to harpsichord."""
_TOP_FADE = 0.02
_KEPT_PLACES = 3  # of a ring, for note-offs and steals

_BAND_K_POWER = (10.0 ** (BAND_K_WEIGHTING_DB / 10.0)).astype(np.float32)
_BAND_OCTAVES = np.log2(BAND_CENTRES_HZ / 1000.0)
_DB_TO_LOG = np.log(10.0) / 20.0
_DB_TO_OCTAVES = np.log2(10.0) / 20.0
_E0, _E1, _E2, _E3, _E4, _E5, _E6 = (
    np.float32(c) for c in Chebyshev.interpolate(np.exp2, 6, domain=[-0.5, 0.5]).convert(kind=Polynomial).coef
)


def _quadratic(b0: float, b1: float, b2: float) -> tuple[float, float, float]:
    """|b0 + b1/z + b2/z^2|^2 as a quadratic in u = 1 - cos w: (constant, factor of u, factor of u^2)."""
    return (b0 + b1 + b2) ** 2, -2.0 * b1 * (b0 + b2) - 8.0 * b0 * b2, 4.0 * b0 * b2


# The two filters of ITU-R BS.1770-4 at 48 kHz, as in synth.frames.k_weighting_db.
_S0, _S1, _S2 = _quadratic(1.53512485958697, -2.69169618940638, 1.19839281085285)
_T0, _T1, _T2 = _quadratic(1.0, -1.69065929318241, 0.73248077421585)
_H0, _H1, _H2 = _quadratic(1.0, -1.99004745483398, 0.99007225036621)


@njit("f8(f8)", fastmath=True)
def k_power(frequency_hz):  # type: ignore[no-untyped-def]
    """Power gain of the K-weighting at a frequency below 24 kHz: `synth.frames.k_weighting_db` without logarithms."""
    # A 32-bit conversion has a vector instruction on every machine, a 64-bit one has not.
    s = float(sine_of_phase(np.uint32(np.int32(min(frequency_hz, 24000.0) * (4294967296.0 / 96000.0)))))
    u = 2.0 * s * s  # 1 - cos w = 2 sin^2(w / 2)
    shelf = (_S0 + u * (_S1 + u * _S2)) / (_T0 + u * (_T1 + u * _T2))
    return shelf * 4.0 * u * u / (_H0 + u * (_H1 + u * _H2))


@njit("f4(f4)", fastmath=True)
def amplitude_of_db(level_db):  # type: ignore[no-untyped-def]
    """10^(dB / 20) for -700 to 700 dB, within 1e-6: a power of two times a polynomial (Chebyshev nodes, degree 6).
    The compiler can vectorise it, as it can't a library's exponential: 0.15 us instead of 1.2 for 164 levels."""
    octaves = level_db * np.float32(_DB_TO_OCTAVES)
    whole = np.rint(octaves)
    x = octaves - whole
    mantissa = (((((_E6 * x + _E5) * x + _E4) * x + _E3) * x + _E2) * x + _E1) * x + _E0
    return mantissa * np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)


@njit(fastmath=True)
def match_loudness(row, n_partials, f0_hz, stretch, wanted_db):  # type: ignore[no-untyped-def]
    """Turns levels in dB (row, float32 [165]) into amplitudes, 0 from partial `n_partials` + 1 on, and returns the gain
    in dB that makes their loudness `wanted_db`, limited to LOUDNESS_MATCH_LIMIT_DB. stretch, float64 [100]: the
    partials' frequencies over f0. Same measure as `synth.frames.frame_loudness_db`."""
    power = 0.0
    for j in range(n_partials):
        row[j] = amplitude_of_db(max(row[j], np.float32(LEVEL_FLOOR_DB)))
    for j in range(n_partials, N_PARTIALS):
        row[j] = np.float32(0.0)
    for j in range(N_PARTIALS, N_LEVELS):
        row[j] = amplitude_of_db(max(row[j], np.float32(LEVEL_FLOOR_DB)))
    for j in range(n_partials):
        frequency_hz = f0_hz * stretch[j]
        weight = 0.5 * k_power(frequency_hz)
        power += weight * row[j] * row[j] if frequency_hz < HIGHEST_PARTIAL_HZ else 0.0
    for b in range(N_BANDS):
        power += _BAND_K_POWER[b] * row[N_PARTIALS + b] * row[N_PARTIALS + b]
    loudness_db = max(10.0 * np.log10(power + 1e-30), LEVEL_FLOOR_DB)
    return min(max(wanted_db - loudness_db, -LOUDNESS_MATCH_LIMIT_DB), LOUDNESS_MATCH_LIMIT_DB)


@njit()
def _match(row, asked):  # type: ignore[no-untyped-def]
    """`match_loudness` of a row of levels to what its row of WORK asks for, with the stretch, which is filled in."""
    stretch, n_partials, stiffness = asked.stretch, asked.n_partials, asked.inharmonicity
    if asked.free > 0.0:
        fill_free(stretch, stiffness, asked.free, asked.octaves)
    else:
        fill_law(stretch, stiffness, n_partials)
    pitch = asked.base_pitch + asked.tuning_cents / 100.0 + 12.0 * asked.measured_shift
    return match_loudness(row, n_partials, 440.0 * 2.0 ** ((pitch - 69.0) / 12.0), stretch, asked.loudness_db)


@njit()
def _keep_frequencies(bank, v, asked, f0):  # type: ignore[no-untyped-def]
    """Where slot v's partials go: f0 in cycles per sample, and over it, what a row of WORK asks for."""
    bank[v].f0 = f0
    bank[v].inharmonicity = asked.inharmonicity
    bank[v].free_partials = asked.free > 0.0
    if asked.free > 0.0:
        for j in range(N_PARTIALS):
            bank[v].stretch[j] = asked.stretch[j]


@njit(fastmath=True)
def _shape(row, n_partials, gain, f0, stretch, tilt_db, noise_gain, sample_rate):  # type: ignore[no-untyped-def]
    """Applies gain, brightness and noise level to amplitudes (row [165]); fades partials out below the Nyquist."""
    for j in range(n_partials):
        edge = min(max((TOP - f0 * stretch[j]) / _TOP_FADE, 0.0), 1.0)
        row[j] *= gain * edge
    for b in range(N_BANDS):
        row[N_PARTIALS + b] *= gain * noise_gain
    if tilt_db != 0.0:
        for j in range(n_partials):
            octaves = np.log2(f0 * sample_rate * stretch[j] / 1000.0)
            row[j] *= amplitude_of_db(np.float32(octaves * tilt_db))
        for b in range(N_BANDS):
            row[N_PARTIALS + b] *= amplitude_of_db(np.float32(_BAND_OCTAVES[b] * tilt_db))


@njit(fastmath=True)
def _duck(row, gain):  # type: ignore[no-untyped-def]
    """Turns the bands of row [165] down, beside a residual."""
    if gain != 1.0:
        for j in range(N_PARTIALS, N_LEVELS):
            row[j] *= gain


@njit()
def _stretch_cents(row, inharmonicity):  # type: ignore[no-untyped-def]
    """By how much the pitch that one hears is above f0, for amplitudes of stretched partials (row [165]).

    Mean of the first four partials' cents, each weighted by what its phase knows of the pitch, energy times k^2; the
    first four carry it (Plomp 1967; Ritsma 1967).
    """
    total = 1e-30
    cents = 0.0
    for j in range(4):
        k = j + 1.0
        weight = float(row[j] * k) ** 2
        total += weight
        cents += weight * 600.0 * np.log2(1.0 + inharmonicity * k * k)
    return cents / total


@njit()
def _pull_cents(work, i, row):  # type: ignore[no-untyped-def]
    """What is taken off the pitch of row i where stiff strings meet others, for amplitudes [165].

    A stiff string's partials under another sound's levels are heard too high: a piano's with a harpsichord's upper
    partials by 10 cents. Half of what they say is taken away, since the fundamental alone has its say too. In a corner,
    and among sounds of one stiffness, a note is in tune as it was recorded.
    """
    stiffness = work[i].inharmonicity
    if stiffness <= 0.0 or work[i].free > 0.0:
        return 0.0
    unlike = min(_UNLIKE * (work[i].inharmonicity_square / stiffness**2 - 1.0), 1.0)
    beside_corner = 1.0 - (1.0 - work[i].between) ** 4
    return 0.5 * (1.0 - work[i].tuning_amount) * max(unlike, 0.0) * beside_corner * _stretch_cents(row, stiffness)


@njit()
def _ramp_share(bank, v, time):  # type: ignore[no-untyped-def]
    """How far slot v's ramp has come at a sample, 0..1."""
    return np.float32(min(max((time - bank[v].ramp_start) / max(bank[v].ramp_length, 1), 0.0), 1.0))


@njit()
def _level_now(bank, v, j, share):  # type: ignore[no-untyped-def]
    """Amplitude j of slot v at `share` of its ramp, as the renderer has it."""
    return bank[v].level_from[j] + share * (bank[v].level_to[j] - bank[v].level_from[j])


@njit()
def _measure_release(bank, v, row, time):  # type: ignore[no-untyped-def]
    """At a release: what must be added, in dB, to its first frame (row, amplitudes) to be what sounds now, both without
    the bands in whose place a residual is.

    One offset for all, which stays (a note that was let go early or late is louder or softer throughout), and one per
    partial and band around it, within OFFSET_LIMIT_DB, which fades: the spectrum goes over into the recorded one.
    """
    share = _ramp_share(bank, v, time)
    duck = duck_now(bank, v, share)
    _duck(row, duck)
    # Without bands there may be nothing left, and the ratio of two nothings is anything.
    now_power = next_power = 0.0 if duck == 1.0 else SILENT_POWER
    for j in range(N_LEVELS):
        now_power += float(_level_now(bank, v, j, share)) ** 2
        next_power += float(row[j]) ** 2
    overall = 10.0 * np.log10((now_power + 1e-30) / (next_power + 1e-30))
    overall = min(overall, RELEASE_BOOST_LIMIT_DB) if next_power > 0.0 else 0.0
    bank[v].offset_all_db = overall
    for j in range(N_LEVELS):
        now = float(_level_now(bank, v, j, share))
        following = float(row[j])
        offset = 0.0
        if now > 0.0 or following > 0.0:
            now, following = max(now, 1e-6), max(following, 1e-6)
            offset = min(max(20.0 * np.log10(now / following) - overall, -OFFSET_LIMIT_DB), OFFSET_LIMIT_DB)
        bank[v].offset_db[j] = offset


@njit(fastmath=True)
def _apply_release(bank, v, row, seconds):  # type: ignore[no-untyped-def]
    """Applies the offsets of `_measure_release` to amplitudes, `seconds` after the release."""
    left = 1.0 - seconds / OFFSET_FADE_S
    overall, offset_db = bank[v].offset_all_db, bank[v].offset_db
    if left <= 0.0:
        gain = np.float32(np.exp(overall * _DB_TO_LOG))
        for j in range(N_LEVELS):
            row[j] *= gain
        return
    for j in range(N_LEVELS):
        row[j] *= amplitude_of_db(np.float32(overall + left * offset_db[j]))


@njit(fastmath=True)
def _aim(row, level_to):  # type: ignore[no-untyped-def]
    """Copies what is audible of row [165] to level_to, float32 [164], and returns the sum of the squares."""
    power = np.float32(0.0)
    for j in range(N_LEVELS):
        amplitude = row[j] if row[j] >= np.float32(_SMALLEST_AMPLITUDE) else np.float32(0.0)
        level_to[j] = amplitude
        power += amplitude * amplitude
    return float(power)


@njit()
def _audible(bank, work, i, v, held):  # type: ignore[no-untyped-def]
    """K-weighted power of slot v's whole note: of this frame, or of the loudest within EXPECTED_FRAMES."""
    loudness_db = work[i].loudness_db + work[i].rise_db + work[i].fade_db + work[i].extra_db
    if not held:
        loudness_db += bank[v].offset_all_db
    gain = work[i].envelope_soon * np.exp(loudness_db * _DB_TO_LOG) / bank[v].share
    return gain * gain * (work[i].gain[0] ** 2 + work[i].gain[1] ** 2)


@njit()
def send(bank, segments, read, sent, v, start, length, flags):  # type: ignore[no-untyped-def]
    """Writes the segment to bank[v].level_to (with f0 and gain) into slot v's ring. False when the ring is full."""
    waiting = sent[v] - read[v]
    if waiting >= RING_PLACES or (flags == 0 and waiting >= RING_PLACES - _KEPT_PLACES):
        return False
    place = sent[v] % RING_PLACES
    segments[v, place].start = start
    segments[v, place].length = length
    segments[v, place].flags = flags
    segments[v, place].f0 = bank[v].f0
    segments[v, place].inharmonicity = bank[v].inharmonicity
    segments[v, place].gain[0] = bank[v].gain[0]
    segments[v, place].gain[1] = bank[v].gain[1]
    segments[v, place].residual_gain = bank[v].residual_to
    segments[v, place].residual_end = bank[v].residual_stop
    if bank[v].free_partials:
        segments[v, place].flags = flags | FREE_PARTIALS
        for j in range(N_PARTIALS):
            segments[v, place].stretch[j] = bank[v].stretch[j]
    level, level_to = segments[v, place].level, bank[v].level_to
    for j in range(N_LEVELS):  # an array assignment would compile its error message, for seconds
        level[j] = level_to[j]
    sent[v] += 1
    bank[v].ramp_start = start
    bank[v].ramp_length = length
    if flags & FREE_AT_END:
        bank[v].state = FREE
        bank[v].free_from = start + length
    return True


@njit()
def send_silence(bank, segments, read, sent, v, start, length):  # type: ignore[no-untyped-def]
    """Fades slot v out from sample `start` over `length` samples and frees it. False when the ring is full."""
    for j in range(N_LEVELS):
        bank[v].level_to[j] = 0.0
    bank[v].residual_to = 0.0
    return send(bank, segments, read, sent, v, start, length, FREE_AT_END)


@njit()
def finish(rows, bank, work, n, segments, read, sent, sample_rate, hop):  # type: ignore[no-untyped-def]
    """Makes segments of the network's rows, float32 [n, 165] (used up), and detail. Returns how many were lost, and
    the earliest next tick of these voices."""
    lost = 0
    earliest = NEVER
    for i in range(n):
        v = work[i].due
        time = bank[v].next_tick
        row = rows[i]
        detail_gain = np.float32(work[i].detail_gain)
        for j in range(N_LEVELS):
            row[j] += detail_gain * work[i].detail[j]
        row[N_LEVELS] += work[i].detail[N_LEVELS]  # the cents are the pitch, of which nothing is taken away
        stretch = work[i].stretch
        match_db = _match(row, work[i])
        cents = row[N_LEVELS] + work[i].tuning_amount * work[i].tuning_cents
        cents -= _pull_cents(work, i, row)
        f0 = 440.0 * 2.0 ** ((work[i].semitones - 69.0 + cents / 100.0) / 12.0) / sample_rate
        gain = bank[v].envelope * np.exp((match_db + work[i].fade_db + work[i].extra_db) * _DB_TO_LOG)
        noise_gain = np.exp(work[i].noise_db * _DB_TO_LOG)
        _shape(row, work[i].n_partials, gain, f0, stretch, work[i].tilt_db, noise_gain, sample_rate)
        share = _ramp_share(bank, v, time)
        if bank[v].probing:
            work[i].residual_source = -1  # nothing is sent
            _measure_release(bank, v, row, time)
            bank[v].probing = 0
            earliest = min(earliest, time)
            continue
        held = bank[v].state == HELD
        if not held:
            _apply_release(bank, v, row, bank[v].frame * hop / sample_rate)
        new = held and bank[v].frame == 0
        length = bank[v].onset_ramp if new else bank[v].base + hop * bank[v].frame - time
        aim_residual(bank, work[i], v, time, length, new, share, sample_rate, hop)
        _duck(row, bank[v].duck_to)
        level_from, level_to = bank[v].level_from, bank[v].level_to
        for j in range(N_LEVELS):
            level_from[j] = np.float32(0.0) if new else level_from[j] + share * (level_to[j] - level_from[j])
        power = _aim(row, level_to) + bank[v].residual_to ** 2
        _keep_frequencies(bank, v, work[i], f0)
        bank[v].gain[0], bank[v].gain[1] = work[i].gain[0], work[i].gain[1]
        bank[v].power = power
        bank[v].audible = _audible(bank, work, i, v, held)
        # A held note that has faded away; one that has yet to come is faded, too.
        faded = work[i].fade_db < _FADED_HOLD_DB and bank[v].held_frames >= bank[v].risen
        over = power < SILENT_POWER and (not held or faded)
        if over:
            sent_it = send_silence(bank, segments, read, sent, v, time, length)
        else:
            sent_it = send(bank, segments, read, sent, v, time, length, NEW_VOICE if new else 0)
        if not sent_it:
            lost += 1
            work[i].residual_source = -1
        bank[v].next_tick = time + length
        bank[v].frame += 1
        earliest = min(earliest, bank[v].next_tick)
    return lost, earliest
