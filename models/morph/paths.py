"""Five ways from one instrument to another: the engine's, without its grid, and the baselines of DESIGN section 9.

- *ours*: what the engine plays on the northern edge, decode(sum of w z) + sum of w detail, 21 places along the pair's
  path of the grid, with attacks and releases brought together.
- *straight*: the same without the grid, along the straight line between the embeddings (`evenness` 0).
- *snap*: the forerunner's way: each of the 21 places sounds like the nearest of 9 on that edge, along a straight line.
- *measured blend*: no network. The measured control frames are blended in dB and their loudness is matched frame by
  frame. It is played by the same engine, with a decoder that knows nothing (all zeros) and instruments whose detail is
  everything, so it differs from ours by nothing but the network.
- *crossfade*: of the two recordings. Both are brought to the level of their corner and in tune with the key, so its
  ends sound like ours. The gains are sin and cos, of equal power: recordings have unlike phases, and at linear
  gains the middle of two equally loud ones would be 3 dB softer, an advantage that we don't want.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import soxr

from models.morph.loudness import loudness_lufs
from models.morph.measures import N_POINTS
from synth.frames import ROW_WIDTH, SAMPLE_RATE_HZ, Float32Array, Float64Array
from synth.grid.pair_path import PairPath
from synth.instruments.build import decode_note
from synth.instruments.fidelity import Place, render_path
from synth.instruments.format import Instrument, Note
from synth.instruments.notes import SourceNote
from synth.voices.decoder import Decoder

LASTS_S = 1.5
"""Of each of the 21 sounds; the key is held all the time."""
WHOLE_HELD_S, WHOLE_S = 3.0, 4.0
"""Of a whole note, like those of a note set."""
N_SNAPPED = 9
MEASURED = "measured"
"""`model_id` of instruments that need no network."""
EDGE = tuple(Place(x, 1.0) for x in np.linspace(0.0, 1.0, N_POINTS))
DIAGONAL = tuple(Place(x, 1.0 - x) for x in np.linspace(0.0, 1.0, N_POINTS))
"""From the north-west to the south-east; in the middle all four instruments weigh the same."""


class NoDecoder:
    """Rows of zeros: what is left is the detail."""

    model_id = MEASURED

    def run(self, z_window: Float32Array, pitch: Float32Array, velocity: Float32Array) -> Float32Array:
        """`z_window` float32 [V, 80] -> zeros float32 [V, 165]; `pitch` and `velocity` don't matter."""
        return np.zeros((z_window.shape[0], ROW_WIDTH), np.float32)


def measured_instrument(instrument: Instrument, key: int, decoder: Decoder) -> Instrument:
    """The instrument's notes around `key` with their measured control frames as detail, for `NoDecoder`."""
    below = max((n.pitch for n in instrument.notes if n.pitch <= key), default=instrument.notes[0].pitch)
    above = min((n.pitch for n in instrument.notes if n.pitch >= key), default=instrument.notes[-1].pitch)
    notes = [
        dataclasses.replace(
            n, detail=n.detail + decode_note(n.z, n.n_frames, float(n.pitch), float(n.velocity), decoder)
        )
        for n in instrument.notes
        if n.pitch in (below, above)
    ]
    return dataclasses.replace(instrument, notes=tuple(notes), model_id=MEASURED)


def play(
    corners: Sequence[Instrument],
    key: int,
    velocity: int,
    decoder: Decoder | NoDecoder,
    places: Sequence[Place] = EDGE,
    *,
    whole: bool = False,
    grid: Sequence[PairPath] = (),
    evenness: float = 1.0,
) -> Float32Array:
    """What the engine plays at each place, float32 [places, n] at 48 kHz: n is 1.5 s, or 4 s of `whole` notes.

    Two instruments are those of an edge, four those of the corners, in the order of `synth.control.corners`. `grid`
    has paths between them; `evenness` 0 is the straight line whatever there is.
    """
    four = corners if len(corners) == 4 else [*corners, *corners]
    held_s, total_s = (WHOLE_HELD_S, WHOLE_S) if whole else (LASTS_S, LASTS_S)
    if isinstance(decoder, NoDecoder):
        # The measured blend is nothing but detail, so all of it stays, and is blended as it is; paths are a network's.
        ways: tuple[PairPath, ...] = ()
        kept = {"middle_detail": 1.0, "evenness": 0.0}
    else:
        kept, ways = {"evenness": evenness}, tuple(grid)
    return render_path(four, places, key, velocity, held_s, total_s, decoder, paths=ways, **kept)


def snapped(ends: Sequence[Instrument], key: int, velocity: int, decoder: Decoder) -> Float32Array:
    """float32 [21, n]: of 9 sounds, the nearest to each of the 21 places."""
    places = [Place(x, 1.0) for x in np.linspace(0.0, 1.0, N_SNAPPED)]
    sounds = play(ends, key, velocity, decoder, places, evenness=0.0)
    return sounds[np.round(np.linspace(0.0, N_SNAPPED - 1.0, N_POINTS)).astype(int)]


def crossfaded(west: Float32Array, east: Float32Array, linear: bool = False) -> Float32Array:
    """float32 [21, n] of two sounds float32 [n], at gains of equal power, or linear ones."""
    x = np.linspace(0.0, 1.0, N_POINTS)[:, None]
    gains: tuple[Float64Array, Float64Array] = (
        (1.0 - x, x) if linear else (np.cos(0.5 * np.pi * x), np.sin(0.5 * np.pi * x))
    )
    return (gains[0] * west + gains[1] * east).astype(np.float32)


def as_in_the_corner(recording: SourceNote, note: Note, key: int, corner: Float32Array) -> Float32Array:
    """A recording as long and as loud as the sound of its corner, float32 [n], and in tune with `key`.

    `note` is what the instrument made of that recording. Resampling moves formants with the partials, by nothing but
    the tuning where the recording is of that key.
    """
    ratio = 2.0 ** ((key - note.pitch - note.tuning_cents / 100.0) / 12.0)
    n = corner.size
    audio = recording.audio[: int(np.ceil(n * ratio)) + 1024]
    tuned = soxr.resample(audio, SAMPLE_RATE_HZ * ratio, SAMPLE_RATE_HZ, quality="HQ")[:n]
    tuned = np.pad(tuned, (0, n - tuned.size))
    gain_db = loudness_lufs(corner) - loudness_lufs(tuned)
    return np.asarray(tuned * 10.0 ** (gain_db / 20.0), np.float32)
