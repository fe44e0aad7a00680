"""One control tick: from the player's controls to what is asked of the network, and from its answer to segments."""

import numpy as np

from synth.control.parameters import INDEX
from synth.frames import BAND_CENTRES_HZ, BAND_K_WEIGHTING_DB, HIGHEST_PARTIAL_HZ, LEVEL_FLOOR_DB, N_BANDS, N_PARTIALS
from synth.jit import njit
from synth.voices.envelope import envelope_gain
from synth.voices.oscillators import sine_of_phase
from synth.voices.segments import FREE_AT_END, N_LEVELS, NEW_VOICE, RING_PLACES
from synth.voices.voice import FREE, HELD

BEND, WHEEL, CHANNEL_DB, PAN = 0, 1, 2, 3
"""Columns of the channel table, float64 [16, 4]: semitones, cents of vibrato, dB, place -1..1."""
WHEEL_CENTS = 50.0
TARGET, START, SINCE = 0, 1, 2
"""Columns of the parameters' curves, float64 [parameters, 3]: last value set, value then, sample then."""
SMOOTHING_S = 0.010
SILENT_POWER = 1e-9
"""-90 dBFS: a released voice below it is over."""
LOUDNESS_MATCH_LIMIT_DB = 24.0
OFFSET_LIMIT_DB = 24.0
OFFSET_FADE_S = 0.3
RELEASE_BOOST_LIMIT_DB = 24.0
_FADED_HOLD_DB = -30.0
_SMALLEST_AMPLITUDE = 1e-5  # -100 dBFS
_TOP = 0.48  # of the sample rate: no partial above it
_TOP_FADE = 0.02
_KEPT_PLACES = 3  # of a ring, for note-offs and steals

_X, _Y = INDEX["x"], INDEX["y"]
_SUSTAIN, _RELEASE, _VOLUME = INDEX["sustain"], INDEX["release"], INDEX["volume"]
_VIBRATO_DEPTH, _TILT, _NOISE = INDEX["vibrato_depth"], INDEX["brightness"], INDEX["noise_level"]
_DETUNE, _TUNING, _LEVEL_NW = INDEX["detune"], INDEX["tuning_amount"], INDEX["level_nw"]
_MIDDLE_DETAIL = INDEX["middle_detail"]
_BAND_K_POWER = (10.0 ** (BAND_K_WEIGHTING_DB / 10.0)).astype(np.float32)
_BAND_OCTAVES = np.log2(BAND_CENTRES_HZ / 1000.0)
_DB_TO_LOG = np.log(10.0) / 20.0


@njit("f8(f8[:, ::1], i8, i8, f8)")
def parameter_at(curves, place, time, smoothing):  # type: ignore[no-untyped-def]
    """A parameter at sample `time`; `smoothing` is the glide's time constant in samples."""
    target, start = curves[place, TARGET], curves[place, START]
    if start == target:
        return target
    return target + (start - target) * np.exp(-max(time - curves[place, SINCE], 0.0) / smoothing)


@njit()
def plan(bank, work, pitch, velocity, n, curves, channels, lfo, sample_rate, hop):  # type: ignore[no-untyped-def]
    """Moves the n due slots one frame on and fills in what does not depend on their instruments.

    curves float64 [parameters, 3]; channels float64 [16, 4]; lfo float64 [3]: the vibrato's
    phase in turns, at which sample, turns per sample. Also fills `pitch` and `velocity`, the network's inputs.
    """
    smoothing = SMOOTHING_S * sample_rate
    for i in range(n):
        v = work[i].due
        time = bank[v].next_tick
        if bank[v].state == HELD:
            bank[v].held_frames = bank[v].frame
            seconds = bank[v].frame * hop / sample_rate
            bank[v].envelope = envelope_gain(
                seconds, bank[v].attack_s, bank[v].decay_s, parameter_at(curves, _SUSTAIN, time, smoothing)
            )
        elif not bank[v].probing:
            bank[v].held_frames += 1.0
            bank[v].release_frames += 1.0 / parameter_at(curves, _RELEASE, time, smoothing)
        x, y = parameter_at(curves, _X, time, smoothing), parameter_at(curves, _Y, time, smoothing)
        work[i].weight[0] = (1.0 - x) * y
        work[i].weight[1] = x * y
        work[i].weight[2] = (1.0 - x) * (1.0 - y)
        work[i].weight[3] = x * (1.0 - y)
        # How far between corners: 0 in one, 1 half-way between two, and never more.
        between = 2.0
        for c in range(4):
            between -= 2.0 * work[i].weight[c] ** 2
        kept = parameter_at(curves, _MIDDLE_DETAIL, time, smoothing)
        work[i].detail_gain = 1.0 - (1.0 - kept) * min(between, 1.0) ** 2
        extra = 0.0
        for c in range(4):
            extra += work[i].weight[c] * (bank[v].velocity_db[c] + parameter_at(curves, _LEVEL_NW + c, time, smoothing))
            for d in range(c + 1, 4):
                extra += 4.0 * work[i].weight[c] * work[i].weight[d] * bank[v].middle_db[c, d]
        work[i].extra_db = extra
        channel = bank[v].channel
        since = (time - bank[v].onset) / sample_rate
        glide = bank[v].glide_from * (1.0 - since / bank[v].glide_s) if since < bank[v].glide_s else 0.0
        work[i].pitch = bank[v].key + channels[channel, BEND] + glide
        vibrato = (parameter_at(curves, _VIBRATO_DEPTH, time, smoothing) + channels[channel, WHEEL]) * np.sin(
            2.0 * np.pi * (lfo[0] + lfo[2] * (time - lfo[1]))
        )
        work[i].semitones = work[i].pitch + (vibrato + parameter_at(curves, _DETUNE, time, smoothing)) / 100.0
        level = 10.0 ** ((parameter_at(curves, _VOLUME, time, smoothing) + channels[channel, CHANNEL_DB]) / 20.0)
        angle = (channels[channel, PAN] + 1.0) * np.pi / 4.0
        work[i].gain[0] = level * np.sqrt(2.0) * np.cos(angle)
        work[i].gain[1] = level * np.sqrt(2.0) * np.sin(angle)
        work[i].tilt_db = parameter_at(curves, _TILT, time, smoothing)
        work[i].noise_db = parameter_at(curves, _NOISE, time, smoothing)
        work[i].tuning_amount = parameter_at(curves, _TUNING, time, smoothing)
        pitch[i] = min(max(work[i].pitch, 0.0), 127.0)
        velocity[i] = bank[v].velocity


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
    s = float(sine_of_phase(np.uint32(np.int64(frequency_hz * (4294967296.0 / 96000.0)))))
    u = 2.0 * s * s  # 1 - cos w = 2 sin^2(w / 2)
    shelf = (_S0 + u * (_S1 + u * _S2)) / (_T0 + u * (_T1 + u * _T2))
    return shelf * 4.0 * u * u / (_H0 + u * (_H1 + u * _H2))


@njit(fastmath=True)
def match_loudness(row, f0_hz, inharmonicity, wanted_db):  # type: ignore[no-untyped-def]
    """Turns levels in dB (row, float32 [165]) into amplitudes, and returns the gain in dB that makes their loudness
    `wanted_db`, limited to LOUDNESS_MATCH_LIMIT_DB. Same measure as `synth.frames.frame_loudness_db`."""
    power = 0.0
    for j in range(N_LEVELS):
        row[j] = np.exp(np.float32(max(row[j], LEVEL_FLOOR_DB)) * np.float32(_DB_TO_LOG))
    for j in range(N_PARTIALS):
        k = j + 1.0
        frequency_hz = f0_hz * k * np.sqrt(1.0 + inharmonicity * k * k)
        weight = 0.5 * k_power(frequency_hz)
        power += weight * row[j] * row[j] if frequency_hz < HIGHEST_PARTIAL_HZ else 0.0
    for b in range(N_BANDS):
        power += _BAND_K_POWER[b] * row[N_PARTIALS + b] * row[N_PARTIALS + b]
    loudness_db = max(10.0 * np.log10(power + 1e-30), LEVEL_FLOOR_DB)
    return min(max(wanted_db - loudness_db, -LOUDNESS_MATCH_LIMIT_DB), LOUDNESS_MATCH_LIMIT_DB)


@njit(fastmath=True)
def _shape(row, gain, f0, inharmonicity, tilt_db, noise_gain, sample_rate):  # type: ignore[no-untyped-def]
    """Applies gain, brightness and noise level to amplitudes (row [165]); fades partials out below the Nyquist."""
    for j in range(N_PARTIALS):
        k = j + 1.0
        frequency = f0 * k * np.sqrt(1.0 + inharmonicity * k * k)
        edge = min(max((_TOP - frequency) / _TOP_FADE, 0.0), 1.0)
        row[j] *= gain * edge
    for b in range(N_BANDS):
        row[N_PARTIALS + b] *= gain * noise_gain
    if tilt_db != 0.0:
        for j in range(N_PARTIALS):
            k = j + 1.0
            octaves = np.log2(f0 * sample_rate * k * np.sqrt(1.0 + inharmonicity * k * k) / 1000.0)
            row[j] *= np.exp(octaves * tilt_db * _DB_TO_LOG)
        for b in range(N_BANDS):
            row[N_PARTIALS + b] *= np.exp(_BAND_OCTAVES[b] * tilt_db * _DB_TO_LOG)


@njit()
def _level_now(bank, v, j, time):  # type: ignore[no-untyped-def]
    """Amplitude j of slot v at a sample, as the renderer has it."""
    share = min(max((time - bank[v].ramp_start) / bank[v].ramp_length, 0.0), 1.0)
    return bank[v].level_from[j] + np.float32(share) * (bank[v].level_to[j] - bank[v].level_from[j])


@njit()
def _measure_release(bank, v, row, time):  # type: ignore[no-untyped-def]
    """At a release: what must be added, in dB, to its first frame (row, amplitudes) to be what sounds now.

    One offset for all, which stays (a note that was let go early or late is louder or softer throughout), and one per
    partial and band around it, within OFFSET_LIMIT_DB, which fades: the spectrum goes over into the recorded one.
    """
    now_power = 0.0
    next_power = 0.0
    for j in range(N_LEVELS):
        now_power += float(_level_now(bank, v, j, time)) ** 2
        next_power += float(row[j]) ** 2
    overall = 10.0 * np.log10((now_power + 1e-30) / (next_power + 1e-30))
    overall = min(overall, RELEASE_BOOST_LIMIT_DB) if next_power > 0.0 else 0.0
    bank[v].offset_all_db = overall
    for j in range(N_LEVELS):
        now = float(_level_now(bank, v, j, time))
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
    overall = bank[v].offset_all_db
    if left <= 0.0:
        gain = np.float32(np.exp(overall * _DB_TO_LOG))
        for j in range(N_LEVELS):
            row[j] *= gain
        return
    for j in range(N_LEVELS):
        row[j] *= np.exp(np.float32((overall + left * bank[v].offset_db[j]) * _DB_TO_LOG))


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
    return send(bank, segments, read, sent, v, start, length, FREE_AT_END)


@njit()
def finish(rows, bank, work, n, segments, read, sent, sample_rate, hop):  # type: ignore[no-untyped-def]
    """Makes segments of the network's rows, float32 [n, 165] (used up), and detail. Returns how many were lost."""
    lost = 0
    for i in range(n):
        v = work[i].due
        time = bank[v].next_tick
        row = rows[i]
        detail_gain = np.float32(work[i].detail_gain)
        for j in range(N_LEVELS):
            row[j] += detail_gain * work[i].detail[j]
        row[N_LEVELS] += work[i].detail[N_LEVELS]  # the cents are the pitch, of which nothing is taken away
        stiffness = work[i].inharmonicity
        tuned_hz = 440.0 * 2.0 ** ((bank[v].key - 69.0 + work[i].tuning_cents / 100.0) / 12.0)
        match_db = match_loudness(row, tuned_hz, stiffness, work[i].loudness_db)
        cents = row[N_LEVELS] + work[i].tuning_amount * work[i].tuning_cents
        f0 = 440.0 * 2.0 ** ((work[i].semitones - 69.0 + cents / 100.0) / 12.0) / sample_rate
        gain = bank[v].envelope * np.exp((match_db + work[i].fade_db + work[i].extra_db) * _DB_TO_LOG)
        noise_gain = np.exp(work[i].noise_db * _DB_TO_LOG)
        _shape(row, gain, f0, stiffness, work[i].tilt_db, noise_gain, sample_rate)
        if bank[v].probing:
            _measure_release(bank, v, row, time)
            bank[v].probing = 0
            continue
        held = bank[v].state == HELD
        if not held:
            _apply_release(bank, v, row, bank[v].frame * hop / sample_rate)
        new = held and bank[v].frame == 0
        power = 0.0
        for j in range(N_LEVELS):
            bank[v].level_from[j] = 0.0 if new else _level_now(bank, v, j, time)
        for j in range(N_LEVELS):
            amplitude = row[j] if row[j] >= _SMALLEST_AMPLITUDE else np.float32(0.0)
            bank[v].level_to[j] = amplitude
            power += float(amplitude * amplitude)
        bank[v].f0 = f0
        bank[v].inharmonicity = stiffness
        bank[v].gain[0], bank[v].gain[1] = work[i].gain[0], work[i].gain[1]
        bank[v].power = power
        length = bank[v].onset_ramp if new else bank[v].base + hop * bank[v].frame - time
        over = power < SILENT_POWER and (not held or work[i].fade_db < _FADED_HOLD_DB)
        if over:
            sent_it = send_silence(bank, segments, read, sent, v, time, length)
        else:
            sent_it = send(bank, segments, read, sent, v, time, length, NEW_VOICE if new else 0)
        lost += 0 if sent_it else 1
        bank[v].next_tick = time + length
        bank[v].frame += 1
    return lost
