"""The disk that the player's data lie on: room, rights, owner."""

import os
import pwd
import secrets
import shutil
from pathlib import Path

from synth.doctor.check import Check, fail, failed, ok, warn
from synth.errors import TetradError
from synth.files import atomic_write_bytes

LITTLE_MB, TOO_LITTLE_MB = 500.0, 50.0
"""An hour's recording is 700 MB as FLAC; below 50 MB not even instruments and patches are sure to be kept."""


def checks(folder: Path, uid: int | None = None) -> list[Check]:
    """folder: of the player's data; it may not exist yet. uid: of the user, by default ours."""
    return [space(folder), data_folder(folder, os.geteuid() if uid is None else uid)]


def space(folder: Path) -> Check:
    """How much is free where the folder lies."""
    place = _nearest(folder)
    usage = shutil.disk_usage(place)
    return room(usage.free / 1e6, usage.total / 1e6, place)


def room(free_mb: float, all_mb: float, place: Path) -> Check:
    """Whether that much is enough."""
    name = "disk space"
    value = f"{free_mb:,.0f} MB of {all_mb:,.0f} MB are free at {place}"
    remedy = "remove or move recordings (the folder recordings), or take a larger disk"
    if free_mb < TOO_LITTLE_MB:
        return fail(name, value, remedy)
    return warn(name, value, remedy) if free_mb < LITTLE_MB else ok(name, value)


def data_folder(folder: Path, uid: int) -> Check:
    """Whether what the player does is kept: a file is written there, synced and removed."""
    name, place = "data folder", _nearest(folder)
    found = place.stat()
    if os.statvfs(place).f_flag & os.ST_RDONLY:
        return fail(
            name, f"{folder} is on a disk that is read-only", "mount it read-write, or set TETRAD_HOME elsewhere"
        )
    if uid not in (0, found.st_uid) and place == folder:
        owner = _user_name(found.st_uid)
        return fail(name, f"{folder} belongs to {owner}", f"sudo chown -R {_user_name(uid)} {folder}")
    if not os.access(place, os.W_OK | os.X_OK):
        return fail(name, f"{place} may not be written by this user", f"sudo chown -R {_user_name(uid)} {place}")
    if place != folder:
        return ok(name, f"{folder} is not there yet; the first start makes it")
    trial = folder / f".doctor-{secrets.token_hex(4)}"
    try:
        atomic_write_bytes(trial, b"a trial of `tetrad doctor`; it may be removed\n")
    except TetradError as error:
        return failed(name, error)
    finally:
        trial.unlink(missing_ok=True)
    return ok(name, f"{folder} can be written")


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest of those it will lie in."""
    return next(place for place in (folder, *folder.absolute().parents) if place.is_dir())


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
