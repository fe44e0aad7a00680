"""The published NSynth set in its own format as a source of notes (Engel et al. 2017, section 4; its README).

A directory such as `nsynth-train` holds `examples.json` (note -> note_str, instrument_str, pitch, velocity,
sample_rate, instrument_family_str, instrument_source_str, qualities_str ...) and `audio/<note_str>.wav`, 4 s at 16 kHz.
Its three parts are split by instrument (valid and test against train), so each directory is on one side here.
"""

import hashlib
from pathlib import Path

from models.dataset.general_midi import SOURCES
from models.dataset.notes import HELD_OUT, LOW_RATE_HZ, TRAIN
from models.dataset.recordings import Collection, RecordedInstrument, Recording
from synth.errors import TetradError
from synth.instruments.format import FAMILIES
from synth.instruments.note_sets import note_set

_WANTED = "an NSynth set's examples.json was expected"


def read_nsynth(directory: Path, *, held_out: bool) -> Collection:
    """The instruments of one part of NSynth. Audio is not read, or looked for, yet.

    Raises TetradError for a missing or empty list, and an entry without pitch, velocity, family or source.
    """
    by_instrument = note_set(directory)
    if not by_instrument:
        raise TetradError(f"{directory / 'examples.json'} lists no notes; {_WANTED}")
    instruments = []
    for name, entries in by_instrument.items():
        recordings: dict[tuple[int, int], Recording] = {}
        extra = {}
        first = next(iter(entries.values()))
        for note_str, entry in entries.items():
            pitch, velocity = _strike(directory, note_str, entry)
            recordings[pitch, velocity] = Recording(directory / "audio" / f"{note_str}.wav")
            extra[pitch, velocity] = {"qualities_str": entry.get("qualities_str", [])}
        instruments.append(
            RecordedInstrument(
                name=name,
                collection=directory.resolve().name,
                family=_choice(directory, name, first, "instrument_family_str", FAMILIES),
                source=_choice(directory, name, first, "instrument_source_str", SOURCES),
                split=HELD_OUT if held_out else TRAIN,
                recordings=recordings,
                rate_hz=LOW_RATE_HZ,
                extra=extra,
            )
        )
    digest = hashlib.sha256((directory / "examples.json").read_bytes()).hexdigest()
    description: dict[str, object] = {
        "key": directory.resolve().name,
        "licence": "CC BY 4.0 if it is Magenta's",
        "origin": "NSynth, Engel et al. 2017",
        "n_files": sum(len(i.recordings) for i in instruments),
        "sha256": digest,
        "held_out": held_out,
    }
    return Collection(tuple(instruments), description)


def _strike(directory: Path, note_str: str, entry: dict[str, object]) -> tuple[int, int]:
    pitch, velocity = entry.get("pitch"), entry.get("velocity")
    if not (isinstance(pitch, int) and isinstance(velocity, int) and 0 <= pitch <= 127 and 1 <= velocity <= 127):
        raise TetradError(
            f"{directory / 'examples.json'}: {note_str} has pitch {pitch!r}, velocity {velocity!r}; "
            "0..127 and 1..127 were expected"
        )
    if not entry.get("sample_rate", LOW_RATE_HZ) == LOW_RATE_HZ:
        raise TetradError(
            f"{directory / 'examples.json'}: {note_str} is at {entry['sample_rate']} Hz; {LOW_RATE_HZ} was expected"
        )
    return pitch, velocity


def _choice(directory: Path, name: str, entry: dict[str, object], key: str, allowed: tuple[str, ...]) -> str:
    value = entry.get(key)
    if value not in allowed:
        raise TetradError(
            f"{directory / 'examples.json'}: {name} has {key} {value!r}; expected one of {', '.join(allowed)}"
        )
    return str(value)
