"""What is played with: networks, instruments, patches, settings, paths. Every file is read by its own reader.

Nothing is changed: the engine's own collections (`PatchBank` and the like) tidy up when they look, and are not used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from synth.control.patch import SUFFIX as PATCH_SUFFIX
from synth.control.patch import read_patch
from synth.control.patch_autosave import read_state
from synth.control.patch_bank import INDEX_NAME, shipped_patches_dir
from synth.control.patch_index import read_index
from synth.doctor.check import Check, fail, failed, ok, warn
from synth.errors import TetradError
from synth.frames import Z_DIM
from synth.grid.store import GridStore
from synth.instruments.encoder import Encoder
from synth.instruments.format import SUFFIX as INSTRUMENT_SUFFIX
from synth.instruments.format import read_instrument
from synth.instruments.labels import read_labels
from synth.paths import model_dir, shipped_instruments_dir
from synth.settings import read_settings
from synth.voices.decoder import Decoder

_REINSTALL = "install Tetrad again"
_OWN = "restore it from the trash or from a copy, or move it out of the folder"


def checks(home: Path) -> list[Check]:
    """home: the player's data folder."""
    return [*shipped(), *own(home)]


def shipped() -> list[Check]:
    """What comes with Tetrad."""
    instruments, patches = (
        _files(shipped_instruments_dir(), INSTRUMENT_SUFFIX),
        _files(shipped_patches_dir(), PATCH_SUFFIX),
    )
    return [
        model(model_dir()),
        _some(files_read("instruments that ship", instruments, read_instrument)),
        _some(files_read("patches that ship", patches, read_patch)),
    ]


def own(home: Path) -> list[Check]:
    """What is the player's."""
    instruments, patches = home / "instruments", home / "patches"
    return [
        files_read("own instruments", _files(instruments, INSTRUMENT_SUFFIX), read_instrument, is_own=True),
        labels(instruments),
        files_read("own patches", _files(patches, PATCH_SUFFIX), read_patch, is_own=True),
        one_file("patches' numbers", patches / INDEX_NAME, read_index),
        one_file("current sound", home / "current.json", read_state),
        one_file("settings", home / "settings.toml", read_settings),
        paths(home / "grid"),
    ]


def model(folder: Path) -> Check:
    """The networks: their checksums, that they belong together, and that they answer with numbers."""
    name = "model"
    try:
        described = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        wanted, model_id = dict(described["sha256"]), str(described["model_id"])
    except (OSError, ValueError, KeyError, TypeError):
        return fail(name, f"{folder / 'model.json'} is missing or damaged", _REINSTALL)
    try:
        for kind in ("encoder", "decoder"):
            path = folder / f"{kind}.onnx"
            found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "nothing"
            if found != wanted.get(kind):
                return fail(
                    name, f"{path} fails its checksum ({found[:8]}, not {wanted.get(kind, '')[:8]})", _REINSTALL
                )
        decoder, encoder = Decoder(folder / "decoder.onnx"), Encoder(folder / "encoder.onnx")
        rows = decoder.run(np.zeros((1, 5 * Z_DIM), np.float32), np.full(1, 60, np.float32), np.full(1, 80, np.float32))
    except TetradError as error:
        return failed(name, error)
    if {decoder.model_id, encoder.model_id} != {model_id}:
        return fail(name, f"encoder and decoder in {folder} are not of one model", _REINSTALL)
    if not np.all(np.isfinite(rows)):
        return fail(name, f"the decoder in {folder} answers with what is no number", _REINSTALL)
    return ok(name, f"{model_id}; encoder and decoder have their checksums, and answer")


def files_read(name: str, files: list[Path], read: Callable[[Path], Any], *, is_own: bool = False) -> Check:
    """Each file by its reader, which checks its checksums."""
    damaged = []
    for path in files:
        try:
            read(path)
        except TetradError as error:
            damaged.append(str(error))
    if damaged:
        more = f" (and {len(damaged) - 1} more)" if len(damaged) > 1 else ""
        value = f"{len(damaged)} of {len(files)} can't be read: {damaged[0].partition('; ')[0]}{more}"
        return fail(name, value, _OWN if is_own else _REINSTALL)
    size_mb = sum(path.stat().st_size for path in files) / 1e6
    return ok(name, f"{len(files)}, all read and whole, {size_mb:.1f} MB" if files else "none")


def one_file(name: str, path: Path, read: Callable[[Path], Any]) -> Check:
    """A file that need not be there."""
    if not path.exists():
        return ok(name, "not there yet: as by default")
    try:
        read(path)
    except TetradError as error:
        return failed(name, error)
    return ok(name, f"{path.name} can be read")


def labels(folder: Path) -> Check:
    """Names, tags and favourites that the player gave."""
    name = "instruments' names"
    try:
        return ok(name, f"{len(read_labels(folder))} have names, tags or stars of the player's")
    except TetradError as error:
        return failed(name, error)


def paths(folder: Path) -> Check:
    """Paths between instruments, which can be computed anew."""
    name, found = "paths between instruments", GridStore(folder).summary()
    value = f"{found.n_pairs} pairs, {found.size_bytes / 1e6:.1f} MB"
    if found.problems:
        return warn(name, f"{len(found.problems)} can't be read; {value}", f"remove {folder}: they are computed again")
    return ok(name, value)


def _some(check: Check) -> Check:
    """What ships is never nothing."""
    return fail(check.name, "there are none", _REINSTALL) if check.value == "none" else check


def _files(folder: Path, suffix: str) -> list[Path]:
    found: Iterable[Path] = folder.glob(f"*{suffix}")
    return sorted(path for path in found if not path.name.startswith("."))
