"""Computes the path of a pair: a pure function of two instruments and the networks, the same in every process."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synth.errors import TetradError
from synth.frames import Float32Array, Float64Array
from synth.grid.bend import LISTENED, PLACES, find_bend
from synth.grid.heard import N_MELS, log_mels_db
from synth.grid.pair_file import Identity, quantised
from synth.grid.pair_path import NotePath, PairPath, straight
from synth.grid.played import PlayedPath
from synth.grid.retime import even_warp, steps_db
from synth.instruments.encoder import Encoder
from synth.instruments.format import Instrument
from synth.instruments.spread import spread_evenly
from synth.voices.decoder import Decoder
from synth.voices.prepared import PreparedInstrument

MOST_NOTES = 12
"""Of a pair: beyond, paths of neighbours are alike. With 16, and bends at 4 of them, 40 pairs were no more even (1.078
in the median, and 1.168 for 1.160 at the 90th percentile)."""
N_PLACES = 33
FRAMES = (0, 1, 2, 3, 4, 6, 8, 11, 15, 20, 27, 35, 45, 56, 68, 80, 93, 106, 120, 134, 148, 163, 178)
"""Control frames of 8 ms at which a path is listened to: all of the attack, and up to 1.5 s every tenth of a second."""
MOST_BENDS = 2
"""Pitches of a pair that are encoded again: 0.1 to 0.2 core-seconds each, where all else takes 0.02 a note."""
LONGER = 1.03
"""Times the straight line's sum of steps: a bend that makes more of a path is a detour."""
MADE = "33 places, 23 frames to 1.5 s, log-mel of levels; bent at up to 2 pitches, 5 places, 0.8 s encoded again"
"""How, for the files."""
_PLACES = np.linspace(0.0, 1.0, N_PLACES)


def identity(instrument: Instrument) -> Identity:
    """What a path knows an instrument by."""
    return Identity(instrument.name, instrument.sound_id, instrument.model_id)


def path_notes(first: Instrument, second: Instrument) -> list[tuple[int, int]]:
    """The pitches and velocities, in this order, for which the pair has a path: at most MOST_NOTES.

    Every pitch and velocity that either was recorded at; of too many velocities the lowest and the highest, of too many
    pitches first those that both have, which are played without moving any formants, and then the rest, evenly.
    """
    recorded = [{note.pitch for note in one.notes} for one in (first, second)]
    velocities = sorted({note.velocity for one in (first, second) for note in one.notes})
    velocities = [velocities[i] for i in spread_evenly(len(velocities), 2)]
    most = MOST_NOTES // len(velocities)
    pitches = sorted(recorded[0] | recorded[1])
    if len(pitches) > most:
        ends = {pitches[0], pitches[-1]}
        shared = sorted((recorded[0] & recorded[1]) | ends)
        shared = [shared[i] for i in spread_evenly(len(shared), most)]
        rest = [pitch for pitch in pitches if pitch not in shared]
        pitches = sorted(shared + [rest[i] for i in spread_evenly(len(rest), most - len(shared))])
    return [(pitch, velocity) for pitch in pitches for velocity in velocities]


def pair_path(first: Instrument, second: Instrument, decoder: Decoder, encoder: Encoder) -> PairPath:
    """The path between two instruments, in whichever order they are given: some 0.03 core-seconds a note.

    Raises TetradError for instruments of one name, or of other networks than the decoder's and the encoder's.
    """
    if first.name == second.name:
        raise TetradError(f"{first.name} was given twice; two instruments were expected; name another")
    if first.name > second.name:
        first, second = second, first
    for instrument in (first, second):
        for network in (decoder.model_id, encoder.model_id):
            if instrument.model_id != network:
                raise TetradError(
                    f"Instrument {instrument.name} was made with network {instrument.model_id}, but the path's is "
                    f"{network}; make it again: `make instruments` (what ships), `tetrad instruments add`."
                )
    ends = PreparedInstrument(first), PreparedInstrument(second)
    played = PlayedPath(*ends, decoder, N_PLACES, len(FRAMES))
    notes = [straight(pitch, velocity) for pitch, velocity in path_notes(first, second)]
    notes = _bent(notes, ends, played, decoder, encoder)
    notes = _even(played, notes)
    return quantised(PairPath(first.name, second.name, first.sound_id, second.sound_id, first.model_id, tuple(notes)))


def _bent(
    notes: list[NotePath],
    ends: tuple[PreparedInstrument, PreparedInstrument],
    played: PlayedPath,
    decoder: Decoder,
    encoder: Encoder,
) -> list[NotePath]:
    """The notes, still straight in time, with the bends that they need.

    They are found at MOST_BENDS pitches, at the highest velocity, and are linear in pitch between these.
    """
    if ends[0].unpitched or ends[1].unpitched:
        return notes  # the encoder reads the spectrum at the partials of a pitch
    loudest = max(note.velocity for note in notes)
    candidates = [note for note in notes if note.velocity == loudest]
    candidates = [candidates[i] for i in spread_evenly(len(candidates), MOST_BENDS)]
    listener = PlayedPath(*ends, decoder, len(PLACES), len(LISTENED))
    bends = np.zeros((len(candidates), *notes[0].bend.shape))
    for i, note in enumerate(candidates):
        stiffness = _stiffness(ends[0], note), _stiffness(ends[1], note)
        bend = find_bend(listener, note, stiffness, encoder)
        if bend is None:
            continue
        straight_db = _length_db(played, note)
        played.set_path([note._replace(bend=bend)])
        if _length_db(played, note) <= LONGER * straight_db:
            bends[i] = bend
        played.set_path(())
    if not bends.any():
        return notes
    pitches = [note.pitch for note in candidates]
    at = np.interp([note.pitch for note in notes], pitches, np.arange(len(pitches)))
    found = []
    for note, place in zip(notes, at, strict=True):
        low = int(place)
        high = min(low + 1, len(pitches) - 1)
        bend = (1.0 - (place - low)) * bends[low] + (place - low) * bends[high]
        found.append(note._replace(bend=bend.astype(np.float32)))
    return found


def _stiffness(instrument: PreparedInstrument, note: NotePath) -> float:
    """The B that the engine's choice for a note has."""
    choice = instrument.choose(note.pitch, note.velocity)
    return float(np.dot(choice.weights, instrument.table.notes["inharmonicity"][list(choice.notes)]))


def _even(played: PlayedPath, notes: list[NotePath]) -> list[NotePath]:
    """The notes with their warps; without their bend where that, taken over from other pitches, is a detour here."""
    played.set_path(())
    straight_db = [_steps_db(played, note) for note in notes]
    if any(note.bend.any() for note in notes):
        played.set_path(notes)
    found = []
    for note, plain in zip(notes, straight_db, strict=True):
        steps = _steps_db(played, note) if note.bend.any() else plain
        if steps.sum() <= LONGER * plain.sum():
            found.append(note._replace(warp=even_warp(_PLACES, steps)))
        else:
            found.append(straight(note.pitch, note.velocity)._replace(warp=even_warp(_PLACES, plain)))
    # Once more along the warp itself: a pad's attack can change faster than 33 even places of the line can tell, and
    # loudness, which goes with the finger and not with the warp, is there only now.
    played.set_path(found)
    return [note._replace(warp=_evener(note.warp, _steps_db(played, note))) for note in found]


def _evener(warp: Float32Array, steps: Float64Array) -> Float32Array:
    """A warp, float32 [33], re-timed by the steps, float64 [32], that are heard along it."""
    again = np.interp(even_warp(_PLACES, steps), _PLACES, warp).astype(np.float32)
    again[0], again[-1] = 0.0, 1.0
    return again


def _length_db(played: PlayedPath, note: NotePath) -> float:
    return float(_steps_db(played, note).sum())


def _steps_db(played: PlayedPath, note: NotePath) -> Float64Array:
    mels = _listen(played, note.pitch, note.velocity, _PLACES)
    return steps_db(mels, frame_weights(FRAMES))


def _listen(played: PlayedPath, pitch: int, velocity: int, places: Float64Array) -> Float32Array:
    """float32 [P, F, 80] of what is played at the places."""
    return log_mels_db(played.play(pitch, velocity, places, FRAMES)).reshape(places.size, len(FRAMES), N_MELS)


def frame_weights(frames: Sequence[int]) -> Float64Array:
    """Share of the time that each frame stands for, float64 [F]."""
    weights = np.gradient(np.asarray(frames, np.float64))
    return np.asarray(weights / weights.sum())
