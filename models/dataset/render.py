"""One note of a sound font as audio, by TinySoundFont (through tinysoundfont).

TinySoundFont has neither reverb nor chorus, and no smoothing of its own: a note's samples start at sample 0. It sets
levels and filters once per 64 output samples, and reads samples by linear interpolation, whose images fold down into
the audible range. Rendering at four times the rate and decimating makes the steps four times finer (attacks come up to
1 ms earlier) and filters the images: between the partials of a high sawtooth lead (FluidR3, program 81, key 95) there
is then 18 dB less.

Velocity reaches the sound as TinySoundFont has it: level proportional to velocity, and the font's velocity layers.
"""

import functools
from pathlib import Path

import numpy as np
import soxr
from tinysoundfont import _tinysoundfont as tsf

from models.dataset.notes import HELD_S, N_SAMPLES, RELEASED_S, SAMPLE_RATE_HZ
from models.dataset.soundfont import Preset
from synth.errors import TetradError

OVERSAMPLING = 4
_MAX_VOICES = 64  # of one note; layered pads use under ten


def render_note(font_path: Path, preset: Preset, pitch: int, velocity: int, gain_db: float) -> np.ndarray:
    """A note held for 3 s and released for 1 s.

    Args: MIDI note `pitch` 0..127, `velocity` 1..127, `gain_db` on top of the font's own level.
    Returns: float64 [192000] at 48 kHz, mean of left and right; zeros when the preset has no sample for the key.
    Raises TetradError when TinySoundFont cannot use the font.
    """
    rate_hz = OVERSAMPLING * SAMPLE_RATE_HZ
    try:
        # A copy of the loaded font has voices of its own: no tail of an earlier note can sound.
        player = tsf.SoundFont(_load(font_path))
        player.set_output(tsf.OutputMode.StereoInterleaved, rate_hz, gain_db)
        player.set_max_voices(_MAX_VOICES)
        player.channel_set_bank(0, preset.bank)
        player.channel_set_preset_number(0, preset.number, False)
    except RuntimeError as error:
        raise TetradError(
            f"{font_path}: TinySoundFont cannot play bank {preset.bank} program "
            f"{preset.number} ({error}); an SF2 or SF3 sound font was expected; install it again or name another"
        ) from error
    stereo = np.zeros((round((HELD_S + RELEASED_S) * rate_hz), 2), np.float32)
    n_held = round(HELD_S * rate_hz)
    player.channel_note_on(0, pitch, velocity / 127.0)
    player.render(stereo[:n_held].data.cast("B"))
    player.channel_note_off(0, pitch)
    player.render(stereo[n_held:].data.cast("B"))
    mono: np.ndarray = soxr.resample(stereo.mean(axis=1, dtype=np.float64), rate_hz, SAMPLE_RATE_HZ, quality="VHQ")
    assert mono.shape == (N_SAMPLES,)
    return mono


@functools.lru_cache(maxsize=1)  # notes come font by font; a loaded font takes up to 400 MB
def _load(font_path: Path) -> tsf.SoundFont:
    return tsf.SoundFont(str(font_path))
