"""How much a corner sounds like the recordings that were put there: play them through the whole engine and compare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from synth.control.events import NoteOff, NoteOn, SetParameter
from synth.frames import SAMPLE_RATE_HZ, Float32Array
from synth.grid.pair_path import PairPath
from synth.instruments.format import Instrument
from synth.instruments.notes import SourceNote
from synth.lsd import log_spectral_distance_db
from synth.voices.conductor import FrameDecoder
from synth.voices.decoder import Decoder
from synth.voices.engine import Engine
from synth.voices.prepared import PreparedInstrument
from synth.voices.prepared_path import PreparedPath

SETTLE_SAMPLES = 9600
"""0.2 s, in which the place on the surface glides to its corner before the first note."""


@dataclass(frozen=True)
class Place:
    """Where on the surface: x runs from west to east, y from south to north, 0..1."""

    x: float
    y: float


NORTH_WEST = Place(0.0, 1.0)
NORTH = Place(0.5, 1.0)


def render_note(
    corners: Sequence[Instrument | PreparedInstrument],
    place: Place,
    key: int,
    velocity: int,
    held_s: float,
    total_s: float,
    decoder: FrameDecoder,
    *,
    paths: Iterable[PairPath | PreparedPath] = (),
    **parameters: float,
) -> Float32Array:
    """One note through the whole engine at 0 dB volume: the left channel, float32 [total_s * 48000], from its onset.

    `paths` between the corners' instruments are followed. Other `parameters` than x, y and volume are set by name; see
    `synth.control.parameters`.
    """
    engine = Engine(corners, decoder, n_voices=1, warm_up=False, paths=paths)
    settings = {"x": place.x, "y": place.y, "volume": 0.0} | parameters
    for name, value in settings.items():
        engine.push(SetParameter(0, name, value))
    engine.push(NoteOn(SETTLE_SAMPLES, key=key, velocity=velocity))
    engine.push(NoteOff(SETTLE_SAMPLES + round(held_s * SAMPLE_RATE_HZ), key=key))
    sound = engine.render(SETTLE_SAMPLES + round(total_s * SAMPLE_RATE_HZ))
    return np.ascontiguousarray(sound[SETTLE_SAMPLES:, 0])


def render_path(
    corners: Sequence[Instrument],
    places: Sequence[Place],
    key: int,
    velocity: int,
    held_s: float,
    total_s: float,
    decoder: FrameDecoder,
    *,
    paths: Iterable[PairPath] = (),
    **parameters: float,
) -> Float32Array:
    """One note after another at each of the places, float32 [places, total_s * 48000]; see `render_note`.

    All start with the same phases and the same noise, so two of them differ by their places alone.
    """
    prepared = {id(instrument): PreparedInstrument(instrument) for instrument in corners}
    ready = [prepared[id(instrument)] for instrument in corners]
    ways = [PreparedPath(path) for path in paths]
    return np.stack(
        [
            render_note(ready, place, key, velocity, held_s, total_s, decoder, paths=ways, **parameters)
            for place in places
        ]
    )


def corner_pairs(
    instrument: Instrument, recordings: Sequence[SourceNote], decoder: Decoder
) -> Iterator[tuple[Float32Array, Float32Array]]:
    """Each recording and its note as the engine plays it at the corner, float32 [N] both, at one level.

    Instruments are levelled when they are made, so the recording is brought to the level of the note. The note keeps
    the recording's tuning (`tuning_amount` 1), so that what is compared is the sound.
    """
    corner = PreparedInstrument(instrument)
    for recording in recordings:
        total_s = recording.audio.size / SAMPLE_RATE_HZ
        held_s = total_s if recording.release_s is None else recording.release_s
        sound = render_note(
            [corner] * 4, NORTH_WEST, recording.pitch, recording.velocity, held_s, total_s, decoder, tuning_amount=1.0
        )
        energy = float(np.sum(recording.audio.astype(np.float64) ** 2))
        gain = np.sqrt(float(np.sum(sound.astype(np.float64) ** 2)) / max(energy, 1e-20))
        yield recording.audio * np.float32(gain), sound


def corner_lsd_db(instrument: Instrument, recordings: Sequence[SourceNote], decoder: Decoder) -> list[float]:
    """Log-spectral distance in dB between each recording and its note at the corner; see `corner_pairs`."""
    pairs = corner_pairs(instrument, recordings, decoder)
    return [log_spectral_distance_db(recording, sound) for recording, sound in pairs]
