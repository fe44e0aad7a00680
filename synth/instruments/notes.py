"""What travels from a source of recordings to an instrument: found, read, heard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from synth.frames import Float32Array


class RawAudio(NamedTuple):
    """Samples as they were found: float32 [N, channels], full scale 1.0, at the file's own rate."""

    samples: Float32Array
    rate_hz: int


@dataclass(frozen=True)
class FoundNote:
    """A recording that has not been read yet, and what its source says of it; None where the source says nothing.

    name: for messages. read: raises TetradError when it can't be read. pitch: MIDI key 0..127. velocity: 1..127.
    tuning_cents: of the recording against `pitch`. release_s, loop_s: in seconds of the recording.
    gain_db: what the source adds to the recording. pitched: False when no key moves it.
    """

    name: str
    read: Callable[[], RawAudio]
    pitch: int | None = None
    velocity: int = 100
    tuning_cents: float | None = None
    release_s: float | None = None
    loop_s: tuple[float, float] | None = None
    gain_db: float = 0.0
    pitched: bool | None = None


@dataclass(frozen=True)
class Finding:
    """What a source holds. name: for the instrument. family: one of FAMILIES, or None. problems: what was left out and
    why, one line each. author, licence, origin: "" where the source does not say."""

    name: str
    notes: tuple[FoundNote, ...]
    family: str | None = None
    problems: tuple[str, ...] = ()
    author: str = ""
    licence: str = ""
    origin: str = ""


@dataclass(frozen=True)
class SourceNote:
    """A note ready to be analysed: `audio` float32 [N] at 48 kHz from its onset, `release_s` when its key was let go,
    if it was, `loop_s` the stretch that may be repeated, if it is known. pitched: None means find out."""

    audio: Float32Array
    pitch: int
    velocity: int
    release_s: float | None
    loop_s: tuple[float, float] | None = None
    pitched: bool | None = None
