"""A single `.tetrad-instrument` file that somebody gave a player: checked, and copied into the library."""

from __future__ import annotations

from pathlib import Path

from synth.errors import TetradError
from synth.instruments.format import SUFFIX, Instrument, read_instrument
from synth.instruments.library import name_from

MOST_BYTES = 256 * 1024 * 1024
"""Of a file: 512 notes of a minute, as a file may hold at most, are 110 MB before they are compressed."""


def is_instrument_file(path: Path) -> bool:
    return path.name.endswith(SUFFIX)


def read_instrument_file(path: Path, model_id: str) -> Instrument:
    """Read and check every number of it. Raises TetradError, also for one that was made with another network."""
    try:
        size, regular = path.stat().st_size, path.is_file()
    except OSError as error:
        raise TetradError(f"cannot read {path}: {error.strerror}; an instrument file was expected") from error
    if not regular or size > MOST_BYTES:
        raise TetradError(
            f"{path} is no file of at most {MOST_BYTES // 2**20} MiB; an instrument file was expected; name another"
        )
    instrument = read_instrument(path)
    if instrument.model_id != model_id:
        raise TetradError(
            f"{path} was made with network {instrument.model_id[:20]}, but this Tetrad has {model_id[:20]}; "
            "import the recordings themselves"
        )
    return instrument


def name_of(path: Path, instrument: Instrument) -> str:
    """What it is to be called here: what it calls itself, or its file's name."""
    return name_from(instrument.name or path.name.removesuffix(SUFFIX))
