"""Computes the path of a pair: a pure function of two instruments and the networks, the same in every process."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synth.errors import TetradError
from synth.frames import Float32Array, Float64Array
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

MOST_NOTES = 16
"""Of a pair. Two instruments of eight pitches each have at most as many; beyond, paths of neighbours are alike."""
N_PLACES = 33
FRAMES = (0, 1, 2, 3, 4, 6, 8, 11, 15, 20, 27, 35, 45, 56, 68, 80, 93, 106, 120, 134, 148, 163, 178)
"""Control frames of 8 ms at which a path is listened to: all of the attack, and up to 1.5 s every tenth of a second."""
MADE = "33 places, 23 frames to 1.5 s, log-mel of levels"


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
    played = PlayedPath(PreparedInstrument(first), PreparedInstrument(second), decoder, N_PLACES, len(FRAMES))
    notes = [_note_path(played, pitch, velocity) for pitch, velocity in path_notes(first, second)]
    ids = first.sound_id, second.sound_id
    return quantised(PairPath(first.name, second.name, *ids, first.model_id, tuple(notes)))


def _note_path(played: PlayedPath, pitch: int, velocity: int) -> NotePath:
    places = np.linspace(0.0, 1.0, N_PLACES)
    mels = _listen(played, pitch, velocity, places)
    warp = even_warp(places, steps_db(mels, frame_weights(FRAMES)))
    return straight(pitch, velocity)._replace(warp=warp)


def _listen(played: PlayedPath, pitch: int, velocity: int, places: Float64Array) -> Float32Array:
    """float32 [P, F, 80] of what is played at the places."""
    return log_mels_db(played.play(pitch, velocity, places, FRAMES)).reshape(places.size, len(FRAMES), N_MELS)


def frame_weights(frames: Sequence[int]) -> Float64Array:
    """Share of the time that each frame stands for, float64 [F]."""
    weights = np.gradient(np.asarray(frames, np.float64))
    return np.asarray(weights / weights.sum())
