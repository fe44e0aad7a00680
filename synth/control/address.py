"""Where the engine can be reached: the path of its UNIX socket, and OSC's port."""

import hashlib
import os
import warnings
from pathlib import Path

import platformdirs

from synth.errors import TetradError

OSC_HOST = "127.0.0.1"
OSC_PORT = 8387
"""UDP; TETR on a telephone's keys."""

LONGEST_SOCKET_PATH = 107
"""Bytes: `sun_path` has 108 on Linux, one of which ends it."""


def socket_path() -> Path:
    """`TETRAD_SOCKET` in the environment, or engine.sock in the user's runtime folder.

    With `TETRAD_HOME` in the environment (data of one's own) the name carries eight digits of that folder's SHA-256,
    so that engines of different data don't meet, and the path stays short however long the folder's is.
    """
    override = os.environ.get("TETRAD_SOCKET")
    if override:
        return Path(override)
    home = os.environ.get("TETRAD_HOME")
    mark = f"-{hashlib.sha256(os.fsencode(Path(home).absolute())).hexdigest()[:8]}" if home else ""
    with warnings.catch_warnings():
        # Without a login session (a service, a container) platformdirs takes a folder of the user's in the place for
        # temporary files, and warns. The server makes it 0700, and refuses one that is somebody else's.
        warnings.simplefilter("ignore")
        folder = platformdirs.user_runtime_path("tetrad", appauthor=False)
    return folder / f"engine{mark}.sock"


def check_socket_path(path: Path) -> None:
    """Raises TetradError when a path is too long for a UNIX socket."""
    length = len(os.fsencode(path))
    if length > LONGEST_SOCKET_PATH:
        raise TetradError(
            f"the socket's path {path} has {length} bytes; at most {LONGEST_SOCKET_PATH} fit; "
            "set TETRAD_SOCKET to a shorter one"
        )
