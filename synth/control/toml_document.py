"""TOML that a player may have edited by hand: small, flat, and refused in one line where it is not."""

import re
import tomllib
from pathlib import Path
from typing import Any

from synth.control.json_document import read_bounded
from synth.errors import TetradError

MOST_BYTES = 64 * 1024
"""A board's settings with all lines and remarks have 1 kB."""
_DEEP_KEY = re.compile(r"""(?<![\w.-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){16}""")
"""A key of so many parts. Python's reader takes 29 s and 3.4 GB for one of 30,000."""


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a file. Raises FileNotFoundError where there is none, and TetradError for anything else."""
    if not path.exists():
        raise FileNotFoundError(path)
    data = read_bounded(path, MOST_BYTES, "TOML")
    try:
        text = data.decode("utf-8")
        if _DEEP_KEY.search(text):
            raise ValueError("a key has 16 parts or more")
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # whole numbers of over 4300 digits are a plain ValueError
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise TetradError(f"{path} can't be read ({reason}); TOML was expected; correct it, or remove it") from error
