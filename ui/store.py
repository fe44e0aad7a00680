"""What the screen itself remembers, in `ui.toml` in the player's data folder. Of the sound it keeps nothing.

    theme = "stage"
    key_strip = true

A file that can't be read, or has a key or value that nobody knows, is named on the screen and left alone: the screen
then goes on with the defaults, and forgets changes at its end.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from synth.control.toml_document import read_toml
from synth.errors import TetradError
from synth.files import atomic_write_bytes, make_folder
from synth.paths import user_data_dir
from ui.theme import THEMES


@dataclass(frozen=True)
class Kept:
    """theme: of THEMES. key_strip: the keyboard is on the play page. strip_key: its lowest key, MIDI. latch: notes of
    the surface stay when the finger leaves it. locked: only the surface and the keys take touches."""

    theme: str = "stage"
    key_strip: bool = True
    strip_key: int = 48
    latch: bool = False
    locked: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.theme, str) or self.theme not in THEMES:
            raise TetradError(f"theme is {self.theme!r}; one of {', '.join(THEMES)} was expected")
        for name in ("key_strip", "latch", "locked"):
            if not isinstance(getattr(self, name), bool):
                raise TetradError(f"{name} is {getattr(self, name)!r}; true or false was expected")
        if isinstance(self.strip_key, bool) or not isinstance(self.strip_key, int) or not 0 <= self.strip_key <= 108:
            raise TetradError(f"strip_key is {self.strip_key!r}; a whole number from 0 to 108 was expected")


def kept(values: Mapping[str, Any]) -> Kept:
    """Of a file's values. Raises TetradError with the names there are for one that isn't."""
    known = {field.name for field in fields(Kept)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise TetradError(f"there is no setting {unknown[0]!r}; those that there are: {', '.join(sorted(known))}")
    return Kept(**values)


class Store:
    """The file, and what stands in it. trouble: why it could not be read, in one line; "" when it could."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path if path is not None else user_data_dir() / "ui.toml"
        self.trouble = ""
        self.kept = Kept()
        try:
            self.kept = kept(read_toml(self.path))
        except FileNotFoundError:
            pass  # the first start
        except (OSError, TetradError) as error:
            self.trouble = f"{self.path} can't be used ({error}); mend or remove it; until then nothing is kept"

    def change(self, **values: Any) -> None:
        """Remember. Raises TetradError for a wrong value, or where the file can't be written."""
        self.kept = replace(self.kept, **values)
        if self.trouble:
            return
        # Strings, numbers and truth values are written alike in JSON and in TOML.
        lines = [f"{field.name} = {json.dumps(getattr(self.kept, field.name))}\n" for field in fields(Kept)]
        make_folder(self.path.parent)
        atomic_write_bytes(self.path, "".join(lines).encode())
