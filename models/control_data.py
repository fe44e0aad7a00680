"""Training pairs: each note's 16 kHz sound and its measured control frames, cached beside the note set.

`control/<instrument>.npz` in the set's directory holds, for one instrument, `note_str` [n], `pitch`, `velocity`,
`tuning_cents`, `inharmonicity`, `pitched`, `explained_share`, `gain_db`, `wave` int16 [n, 64000] (16 kHz, full scale
32767) and `rows` float16 [n, 500, 165]. All notes of an instrument share one gain, which brings its loudest frame to
REFERENCE_LOUDNESS_DB: soft stays soft, but no instrument is louder than another.

A level of NaN is not known: of a recording at 16 kHz (an NSynth set's) those above 7.3 kHz. A loss leaves them out.
"""

from __future__ import annotations

import functools
import io
import zipfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.dataset.reader import Example, NoteSet
from synth.command import progress_bar
from synth.errors import TetradError
from synth.files import atomic_write_bytes
from synth.frames import (
    BAND_EDGES_HZ,
    ENCODER_RATE_HZ,
    HIGHEST_PARTIAL_HZ,
    LEVEL_FLOOR_DB,
    ROW_WIDTH,
    Float32Array,
    frame_loudness_db,
    partial_frequencies_hz,
    pitch_to_hz,
)
from synth.instruments.analysis import analyse_note
from synth.instruments.build import REFERENCE_LOUDNESS_DB
from synth.instruments.spread import spread_evenly
from synth.jobs import run_jobs

VERSION = 1
NOTE_SAMPLES = 4 * ENCODER_RATE_HZ
KNOWN_SHARE = 0.9125
"""Of half the sample rate: up to where bringing 16 kHz to 48 kHz is flat (soxr, quality HQ: 7.3 kHz)."""


@dataclass(frozen=True)
class ControlSet:
    """Notes of one side of the split, in memory. Shapes as in the module's text, over all n notes."""

    note_str: list[str]
    instrument: list[str]
    pitch: Float32Array
    velocity: Float32Array
    tuning_cents: Float32Array
    inharmonicity: Float32Array
    gain_db: Float32Array
    wave: npt.NDArray[np.int16]
    rows: npt.NDArray[np.float16]

    @property
    def n_notes(self) -> int:
        return len(self.note_str)

    @property
    def f0_hz(self) -> Float32Array:
        """The tuned fundamentals, float32 [n]."""
        return pitch_to_hz(self.pitch + self.tuning_cents / 100.0).astype(np.float32)

    def spread(self, n_notes: int | None) -> ControlSet:
        """At most `n_notes` of the notes, evenly spread over the set."""
        if n_notes is None or n_notes >= self.n_notes:
            return self
        index = spread_evenly(self.n_notes, n_notes)
        return ControlSet(
            note_str=[self.note_str[i] for i in index],
            instrument=[self.instrument[i] for i in index],
            pitch=self.pitch[index],
            velocity=self.velocity[index],
            tuning_cents=self.tuning_cents[index],
            inharmonicity=self.inharmonicity[index],
            gain_db=self.gain_db[index],
            wave=self.wave[index],
            rows=self.rows[index],
        )


def known_levels(f0_hz: float, inharmonicity: float, rate_hz: int) -> npt.NDArray[np.bool_]:
    """Which levels of a row a recording at `rate_hz` tells, bool [164]: partials and then bands.

    At 48 kHz that is all of them: partials above 20 kHz are silent by definition.
    """
    limit_hz = KNOWN_SHARE * rate_hz / 2.0
    if limit_hz >= HIGHEST_PARTIAL_HZ:
        limit_hz = np.inf
    partials = partial_frequencies_hz(f0_hz, inharmonicity) < limit_hz
    return np.concatenate([partials, BAND_EDGES_HZ[1:] <= limit_hz])


def prepare(note_set: NoteSet, jobs: int = 2, *, skip_broken: bool = False) -> list[str]:
    """Analyse every instrument that has no `control/` file yet. Interrupting loses the instruments under way.

    Returns a line for each note that was passed over because its audio is unusable; without `skip_broken` that raises
    TetradError.
    """
    target = note_set.directory / "control"
    target.mkdir(exist_ok=True)
    names = note_set.instruments()
    todo = [(note_set.directory, name, skip_broken) for name in names if not (target / f"{name}.npz").exists()]
    if not todo:
        return []
    found: dict[int, list[str]] = {}
    with progress_bar(len(todo), description="analysing", unit="inst") as bar:

        def keep(index: int, left_out: list[str]) -> None:
            found[index] = left_out
            bar.update(1)

        run_jobs(_prepare, todo, on_result=keep, workers=jobs, isolated=True)
    return [line for _, left_out in sorted(found.items()) for line in left_out]


@functools.cache
def _opened(directory: Path) -> NoteSet:
    """Once for each worker: its list of notes is read and checked in a tenth of a second, and there are 300 tasks."""
    return NoteSet.open(directory)


def _prepare(task: tuple[Path, str, bool]) -> list[str]:
    """Analyse one instrument; returns a line for each note that was passed over."""
    directory, name, skip_broken = task
    note_set = _opened(directory)
    columns: dict[str, list[Any]] = defaultdict(list)
    loudest = -np.inf
    examples, left_out = _readable(note_set, name) if skip_broken else (note_set.examples(instrument=name), [])
    if not examples:
        return left_out
    for example in _distinct(note_set, examples):
        analysis = analyse_note(note_set.audio_48k(example.name), example.pitch)
        frames = analysis.frames
        loudness = frame_loudness_db(frames.partial_db, frames.band_db, analysis.f0_hz, analysis.inharmonicity)
        loudest = max(loudest, float(loudness.max()))
        for key, value in (
            ("note_str", example.name),
            ("pitch", example.pitch),
            ("velocity", example.velocity),
            ("tuning_cents", analysis.tuning_cents),
            ("inharmonicity", analysis.inharmonicity),
            ("pitched", analysis.pitched),
            ("explained_share", analysis.explained_share),
            ("rows", frames.rows()),
            ("known", known_levels(analysis.f0_hz, analysis.inharmonicity, example.rate_hz)),
            ("wave", note_set.audio_16k(example.name)),
        ):
            columns[key].append(value)
    gain_db = REFERENCE_LOUDNESS_DB - loudest
    rows = np.stack(columns.pop("rows"))
    levels = np.maximum(rows[:, :, :-1] + gain_db, LEVEL_FLOOR_DB)
    rows[:, :, :-1] = np.where(np.stack(columns.pop("known"))[:, None, :], levels, np.nan)
    wave = np.stack(columns.pop("wave")) * 10.0 ** (gain_db / 20.0)
    arrays: dict[str, Any] = {key: np.array(value) for key, value in columns.items()}
    arrays |= {"version": np.array(VERSION), "gain_db": np.array(gain_db), "rows": rows.astype(np.float16)}
    arrays["wave"] = np.clip(np.round(wave * 32767.0), -32768, 32767).astype(np.int16)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    atomic_write_bytes(directory / "control" / f"{name}.npz", buffer.getvalue())
    return left_out


def _readable(note_set: NoteSet, instrument: str) -> tuple[list[Example], list[str]]:
    """The notes whose audio can be used, and what is wrong with the others."""
    readable, left_out = [], []
    for example in note_set.examples(instrument=instrument):
        try:
            note_set.audio_48k(example.name)
            note_set.audio_16k(example.name)
            readable.append(example)
        except TetradError as error:
            left_out.append(str(error))
    return readable, left_out


def distinct_notes(note_set: NoteSet, instrument: str) -> list[Example]:
    """The notes of an instrument, without those that are another velocity's note at another level.

    Few General MIDI presets have velocity layers. Two notes are the same when the louder one, scaled to fit, leaves
    less than -40 dB of the softer.
    """
    return _distinct(note_set, note_set.examples(instrument=instrument))


def _distinct(note_set: NoteSet, examples: Iterable[Example]) -> list[Example]:
    kept: list[Example] = []
    for example in sorted(examples, key=lambda e: (e.pitch, -e.velocity)):
        audio = note_set.audio_16k(example.name).astype(np.float64)
        energy = float(audio @ audio)
        rivals = [note_set.audio_16k(k.name).astype(np.float64) for k in kept if k.pitch == example.pitch]
        if all(energy - float(audio @ r) ** 2 / float(r @ r) > 1e-4 * energy for r in rivals):
            kept.append(example)
    return sorted(kept, key=lambda e: (e.pitch, e.velocity))


def load(directory: Path, instruments: Iterable[str]) -> ControlSet:
    """Read the cached notes of some instruments, leaving out those that were found to have no pitch."""
    note_str: list[str] = []
    names: list[str] = []
    parts: dict[str, list[npt.NDArray[np.generic]]] = defaultdict(list)
    for name in instruments:
        path = directory / "control" / f"{name}.npz"
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as data:
                if int(data["version"]) != VERSION:
                    raise TetradError(f"{path} has version {data['version']}, expected {VERSION}; delete it and repeat")
                keep = data["pitched"]
                for key in ("pitch", "velocity", "tuning_cents", "inharmonicity", "wave", "rows"):
                    parts[key].append(data[key][keep])
                parts["gain_db"].append(np.full(int(keep.sum()), data["gain_db"]))
                note_str += [str(n) for n in data["note_str"][keep]]
                names += [name] * int(keep.sum())
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise TetradError(
                f"{path} can't be read ({error}); expected control frames; delete it and repeat"
            ) from error
    if not note_str:
        raise TetradError(f"{directory} has no pitched notes to train on; run `tetrad model data {directory}` first")
    whole = {key: np.concatenate(values) for key, values in parts.items()}
    result = ControlSet(
        note_str=note_str,
        instrument=names,
        pitch=whole["pitch"].astype(np.float32),
        velocity=whole["velocity"].astype(np.float32),
        tuning_cents=whole["tuning_cents"].astype(np.float32),
        inharmonicity=whole["inharmonicity"].astype(np.float32),
        gain_db=whole["gain_db"].astype(np.float32),
        wave=whole["wave"].astype(np.int16, copy=False),
        rows=whole["rows"].astype(np.float16, copy=False),
    )
    assert result.rows.shape[2] == ROW_WIDTH
    return result
