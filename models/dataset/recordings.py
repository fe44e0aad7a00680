"""Recorded notes as instruments of a note set: what a folder, an SFZ file or an NSynth set is read into.

A recording becomes a note of the set by trimming the silence before its onset, cutting or padding it to 4 s and, where
the instrument's loudest note is over full scale, one gain for the whole instrument.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import soundfile

from models.dataset.general_midi import SOURCES
from models.dataset.notes import LOW_RATE_HZ, N_LOW_SAMPLES, N_SAMPLES, SAMPLE_RATE_HZ
from synth.errors import TetradError
from synth.instruments.audio_files import read_note_audio
from synth.instruments.format import FAMILIES

SHORTEST_S = 0.25
"""A shorter recording has no frames after its attack to learn from: 31 control frames."""
SILENT_PEAK = 1e-4
_ONSET_SHARE = 10.0 ** (-50.0 / 20.0)  # of the peak: where a recording begins
_LEAD_S = 0.003  # kept before the onset
_FADE_S = 0.01  # at the cut after 4 s
SUSTAINING_DB = -12.0
"""Median `held_db` above which an instrument that does not say so is taken to go on sounding while held."""


@dataclass(frozen=True)
class Recording:
    """One file. `gain_db` balances it against the instrument's others, as its source says."""

    path: Path
    gain_db: float = 0.0


@dataclass(frozen=True)
class RecordedInstrument:
    """An instrument made of files. `recordings`: (MIDI note, velocity) -> file.

    `rate_hz` is the rate that the set keeps: 48 kHz, or 16 kHz for sources that hold no more. `sustains` None: find
    out. `collection` is where it is from, what `font` is for a preset.
    """

    name: str
    collection: str
    family: str
    source: str
    split: str
    recordings: Mapping[tuple[int, int], Recording]
    rate_hz: int = SAMPLE_RATE_HZ
    sustains: bool | None = None
    extra: Mapping[tuple[int, int], Mapping[str, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise TetradError(
                f"instrument {self.name} is of family {self.family!r}; expected one of {', '.join(FAMILIES)}"
            )
        if self.source not in SOURCES:
            raise TetradError(
                f"instrument {self.name} is of source {self.source!r}; expected one of {', '.join(SOURCES)}"
            )

    @property
    def strikes(self) -> tuple[tuple[int, int], ...]:
        return tuple(sorted(self.recordings))

    def note_name(self, pitch: int, velocity: int) -> str:
        """As in NSynth: `salamander-060-080`."""
        return f"{self.name}-{pitch:03d}-{velocity:03d}"

    def only(self, strikes: Sequence[tuple[int, int]]) -> "RecordedInstrument":
        """The same instrument with these notes alone."""
        return replace(self, recordings={strike: self.recordings[strike] for strike in strikes})

    def describe(self, pitch: int, velocity: int) -> dict[str, object]:
        """The part of a note's entry in examples.json that is the source's to say."""
        return {
            "instrument_family": FAMILIES.index(self.family),
            "instrument_family_str": self.family,
            "instrument_source": SOURCES.index(self.source),
            "instrument_source_str": self.source,
            "sample_rate": self.rate_hz,
            "font": self.collection,
            "bank": 0,
            "program": None,
            "preset": self.recordings[pitch, velocity].path.name,
            "sustains": self.sustains,
            "split": self.split,
            **self.extra.get((pitch, velocity), {}),
        }


@dataclass(frozen=True)
class Collection:
    """What one source gave: its instruments, and what the manifest says about it."""

    instruments: tuple[RecordedInstrument, ...]
    description: dict[str, object]


def read_recording(recording: Recording) -> np.ndarray:
    """float64 [192000] at 48 kHz from any file that libsndfile reads, at any rate. May be over full scale.

    Raises TetradError for a broken, silent or too short file.
    """
    audio = read_note_audio(recording.path).astype(np.float64)
    return _fitted(audio, SAMPLE_RATE_HZ, N_SAMPLES, recording)


def read_low_recording(recording: Recording) -> np.ndarray:
    """float64 [64000] from a file at 16 kHz. Raises TetradError for another rate, a broken, silent or short file."""
    try:
        audio, rate_hz = soundfile.read(recording.path, dtype="float64", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise TetradError(f"{recording.path} can't be read as audio ({error}); a WAV file was expected") from error
    if rate_hz != LOW_RATE_HZ:
        raise TetradError(
            f"{recording.path} is at {rate_hz} Hz; {LOW_RATE_HZ} Hz was expected in an NSynth set; "
            "give recordings at other rates as a folder"
        )
    if not np.isfinite(audio).all():
        raise TetradError(f"{recording.path} holds samples that are not numbers; finite ones were expected")
    return _fitted(audio.mean(axis=1), LOW_RATE_HZ, N_LOW_SAMPLES, recording)


def _fitted(audio: np.ndarray, rate_hz: int, n_samples: int, recording: Recording) -> np.ndarray:
    """From 3 ms before the onset, cut with a fade or padded to `n_samples`, with the recording's gain."""
    level = np.abs(audio)
    peak = float(level.max(initial=0.0))
    if peak < SILENT_PEAK:
        raise TetradError(f"{recording.path} is silent (peak {peak:.1e}); a note was expected; take it out")
    onset = int(np.argmax(level > peak * _ONSET_SHARE))
    audio = audio[max(0, onset - round(_LEAD_S * rate_hz)) :]
    if audio.size < SHORTEST_S * rate_hz:
        raise TetradError(
            f"{recording.path} sounds for {audio.size / rate_hz:.3f} s; at least {SHORTEST_S} s were expected; "
            "take it out"
        )
    result = np.zeros(n_samples)
    result[: min(n_samples, audio.size)] = audio[:n_samples]
    if audio.size > n_samples:
        n_fade = round(_FADE_S * rate_hz)
        result[-n_fade:] *= np.linspace(1.0, 0.0, n_fade)
    return result * 10.0 ** (recording.gain_db / 20.0)


def fingerprint(paths: Iterable[Path]) -> str:
    """SHA-256 over the contents of files, in the order given. Raises TetradError when one can't be read."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        except OSError as error:
            raise TetradError(f"cannot read {path}: {error.strerror}; name a readable file") from error
    return digest.hexdigest()
