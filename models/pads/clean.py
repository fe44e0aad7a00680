"""What a rendered note needs before it goes into a pad: clicks, silence, fades, level, and a loop.

The original's pipeline (open-nsynth-super, audio/workdir: 05_clean_files.py and utils.py) repairs single wild samples,
brings every note to -12 dBFS, makes an MP3 of it and a WAV again, cuts what is before the onset (first sample above a
tenth of the peak, less 16 samples), and fades 8 samples at either end. The same here, without the MP3, and with the
onset found once for all cells of a pitch: notes that were cut differently would not meet in a crossfade.
"""

from __future__ import annotations

import numpy as np

from synth.frames import Float32Array, pitch_to_hz

CLICK = 1.0
"""Of full scale: two steps as large one after the other are a wild sample."""
ONSET_SHARE, ONSET_SEARCH_S, WALK_BACK_S = 0.1, 0.25, 0.001
FADE_IN_S, FADE_OUT_S = 0.0005, 0.005
SILENCE = 10.0 ** (-90.0 / 20.0)
"""Of full scale: what is softer to the end is left out; a step of 16 bits is 3e-5."""
NOTE_PEAK = 10.0 ** (-12.0 / 20.0)
"""Of a note that is normalised alone, as the original's are."""
PAD_PEAK = 10.0 ** (-6.0 / 20.0)
"""Of the loudest note in a corner, where a pad is normalised as a whole: notes between corners are up to 0.4 LU louder
than their mean, and their crests some dB higher."""
LOOP_MARGIN_S = 0.03
SHORTEST_LOOP_S = 0.25
LOOP_MATCH_S = 0.04
STEADY_DB = 3.0
"""A note that loses or gains more from a loop's beginning to its end has none."""


def without_clicks(audio: Float32Array) -> Float32Array:
    """float32 [n], with single samples that jump by more than CLICK both ways drawn between their neighbours."""
    wild = np.abs(np.diff(audio)) > CLICK
    at = np.flatnonzero(wild[:-1] & wild[1:]) + 1
    if at.size == 0:
        return audio
    repaired = audio.copy()
    repaired[at] = 0.5 * (audio[at - 1] + audio[at + 1])
    return repaired


def onset_sample(audio: Float32Array, rate_hz: int) -> int:
    """Where a note begins, as the original finds it: a millisecond before its first sample above a tenth of the peak
    of the first quarter of a second."""
    head = np.abs(audio[: round(ONSET_SEARCH_S * rate_hz)])
    if head.size == 0 or head.max() == 0.0:
        return 0
    return max(int(np.argmax(head > ONSET_SHARE * head.max())) - round(WALK_BACK_S * rate_hz), 0)


def without_silent_end(audio: Float32Array, gain: float, rate_hz: int) -> Float32Array:
    """Up to the last sample that is not silent at `gain`, at least 10 ms."""
    heard = np.flatnonzero(np.abs(audio) * gain > SILENCE)
    n = max(int(heard[-1]) + 1 if heard.size else 0, round(0.010 * rate_hz))
    return audio[:n]


def faded(audio: Float32Array, rate_hz: int, *, begin: bool) -> Float32Array:
    """A copy with linear fades at its end and, if `begin`, at its beginning."""
    result = audio.copy()
    n_out = min(round(FADE_OUT_S * rate_hz), result.size)
    result[result.size - n_out :] *= np.linspace(1.0, 0.0, n_out, dtype=np.float32)
    if begin:
        n_in = min(round(FADE_IN_S * rate_hz), result.size)
        result[:n_in] *= np.linspace(0.0, 1.0, n_in, dtype=np.float32)
    return result


def find_loop(audio: Float32Array, rate_hz: int, pitch: float, release: int) -> tuple[int, int]:
    """(first sample, one past the last) of a stretch on which a held note can go round, or (0, 0) if it has none.

    The end is a little before the `release` (a sample); the beginning is where, between a third and two thirds of the
    way there, the sound of the 40 ms (or two periods) before is most like that before the end: the normalised
    cross-correlation's peak. A note whose level moves by more than STEADY_DB within has no loop.
    """
    end = min(release, audio.size) - round(LOOP_MARGIN_S * rate_hz)
    n = max(round(LOOP_MATCH_S * rate_hz), round(2.0 * rate_hz / float(pitch_to_hz(pitch))))
    first, last = round(end * 0.33), round(end * 0.67)
    if first < n or end - last < SHORTEST_LOOP_S * rate_hz or last - first < n:
        return 0, 0
    pattern = audio[end - n : end].astype(np.float64)
    searched = audio[first - n : last].astype(np.float64)
    n_fft = 1 << int(searched.size + n).bit_length()
    products = np.fft.irfft(np.fft.rfft(searched, n_fft) * np.conj(np.fft.rfft(pattern, n_fft)), n_fft)
    energy = np.concatenate([[0.0], np.cumsum(searched**2)])
    energies = energy[n:] - energy[:-n]
    likeness = products[: energies.size] / np.sqrt(np.maximum(energies, 1e-12))
    best = int(np.argmax(likeness))
    total = float(pattern @ pattern)
    if total <= 0.0 or abs(10.0 * np.log10(max(energies[best], 1e-20) / total)) > STEADY_DB:
        return 0, 0
    begin = first + best
    middle = audio[(begin + end - n) // 2 : (begin + end + n) // 2].astype(np.float64)
    if abs(10.0 * np.log10(max(float(middle @ middle), 1e-20) / total)) > 2.0 * STEADY_DB:
        return 0, 0
    return begin, end
