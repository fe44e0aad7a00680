"""A job of rendering: some notes of one set of corners, and the finished rows that come back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.pads import clean
from synth.errors import TetradError
from synth.frames import Float32Array
from synth.grid.pair_path import PairPath
from synth.instruments.format import read_header
from synth.instruments.header import content_hash
from synth.instruments.library import Library
from synth.pads.pad_file import to_int16
from synth.voices.apart import SpotNote
from synth.voices.decoder import Decoder
from synth.voices.prepared import PreparedInstrument

HELD_SHARE = 0.75
"""Of a row: as the original asks of its recordings, 3 s of 4, and then the release."""


class Named(NamedTuple):
    """An instrument, and what its sound is (`Instrument.sound_id`), so that another computer can tell."""

    name: str
    sound_id: str


@dataclass(frozen=True)
class Job:
    """Notes to render. corners: NW, NE, SW, SE. gain: linear; None brings every note to clean.NOTE_PEAK. stream: tells
    the random numbers of jobs with one seed apart. paths: of the corners' pairs, those that there are."""

    corners: tuple[Named, Named, Named, Named]
    notes: tuple[SpotNote, ...]
    velocity: int
    total_s: float
    rate_hz: int
    seed: int
    gain: float | None
    stream: int = 0
    paths: tuple[PairPath, ...] = ()

    @property
    def held_s(self) -> float:
        return HELD_SHARE * self.total_s


class RenderedRow(NamedTuple):
    """A finished row: int16 [n]; loop and release in samples, (0, 0) for no loop, None for no recorded release."""

    samples: npt.NDArray[np.int16]
    loop: tuple[int, int]
    release_start: int | None


def named(name: str, library: Library | None = None) -> Named:
    """Raises TetradError for a name that the library doesn't have, or a damaged file."""
    return Named(name, content_hash(read_header((library or Library()).path(name))))


@lru_cache(maxsize=20)
def prepared(instrument: Named) -> PreparedInstrument:
    """Of the library of the computer that this runs on; TetradError when another sound has that name there."""
    library = Library()
    found = named(instrument.name, library)
    if found != instrument:
        raise TetradError(
            f"the instrument {instrument.name} is {found.sound_id[:12]} here; {instrument.sound_id[:12]} was expected; "
            "copy it to all computers that work, or start again"
        )
    return PreparedInstrument(library.load(instrument.name))


@lru_cache(maxsize=1)
def decoder() -> Decoder:
    """This process's."""
    return Decoder()


def finish_row(audio: Float32Array, job: Job, key: int, *, cut: bool = False) -> RenderedRow:
    """A note float32 [n], rendered to its end, as a row: its silent end left out, faded, levelled, with a loop.

    cut: whether its beginning was cut, and needs a fade too.
    """
    peak = float(np.abs(audio).max(initial=0.0))
    gain = job.gain if job.gain is not None else clean.NOTE_PEAK / max(peak, 1e-6)
    release = round(job.held_s * job.rate_hz)
    loop = clean.find_loop(audio, job.rate_hz, key, release)
    audio = clean.faded(clean.without_silent_end(audio, gain, job.rate_hz), job.rate_hz, begin=cut)
    if loop[1] > audio.size:
        loop = (0, 0)
    return RenderedRow(to_int16(audio * np.float32(gain)), loop, release if release < audio.size else None)
