"""What a player chose for this machine, whatever sounds: `settings.toml` in the user's data folder.

    [audio]
    device = "ALSA: USB Audio: - (hw:1,0)"   # as `audio_devices` tells it; "null": none
    sample_rate_hz = 48000
    block_samples = 256                      # 0: the device's own

    [midi]
    inputs = ["ALSA: Keystation 88:Keystation 88 MIDI 1"]   # without this line: all

What is missing is as by default; what is unknown is an error, and a file with an error is left alone: the player's
hand is in it. Arguments of the command line go before it.
"""

import dataclasses
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth.control.fields import shown
from synth.control.toml_document import read_toml
from synth.errors import TetradError
from synth.files import atomic_write_bytes, make_folder
from synth.paths import user_data_dir

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000, 192_000
LONGEST_BLOCK = 8_192
_TABLES = {
    "audio": {"device": "audio_device", "sample_rate_hz": "sample_rate_hz", "block_samples": "block_samples"},
    "midi": {"inputs": "midi_inputs"},
}
"""Where each of `Settings` stands in the file: table -> key -> field."""


@dataclass(frozen=True)
class Settings:
    """A player's choices; None: as by default. A value that means nothing raises TetradError.

    audio_device: a number, a host API or part of a name, or "null". sample_rate_hz: 8000 to 192000. block_samples: 0
    (the device's own) to 8192. midi_inputs: names of ports.
    """

    audio_device: str | None = None
    sample_rate_hz: int | None = None
    block_samples: int | None = None
    midi_inputs: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.audio_device is not None and not _is_text(self.audio_device):
            raise _refused("audio.device", self.audio_device, "a text")
        _check_whole("audio.sample_rate_hz", self.sample_rate_hz, LOWEST_RATE_HZ, HIGHEST_RATE_HZ)
        _check_whole("audio.block_samples", self.block_samples, 0, LONGEST_BLOCK)
        if self.midi_inputs is not None:
            if not isinstance(self.midi_inputs, (list, tuple)) or not all(map(_is_text, self.midi_inputs)):
                raise _refused("midi.inputs", self.midi_inputs, "a list of texts")
            object.__setattr__(self, "midi_inputs", tuple(self.midi_inputs))


class SettingsFile:
    """The settings on disk. Any thread may call.

    A file that can't be understood is never written over: `trouble` says why, and `change` refuses.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or user_data_dir() / "settings.toml"
        self._lock = threading.Lock()
        self.trouble = ""
        """What is wrong with the file, in one line; empty: nothing."""
        try:
            self.settings = read_settings(self.path)
        except TetradError as error:
            self.settings, self.trouble = Settings(), str(error)

    def change(self, **values: Any) -> Settings:
        """Keep other values of some fields of `Settings`. Raises TetradError, and then keeps nothing."""
        with self._lock:
            if self.trouble:
                raise TetradError(f"the choice is not kept: {self.trouble}")
            changed = dataclasses.replace(self.settings, **values)
            if changed != self.settings:
                make_folder(self.path.parent)
                atomic_write_bytes(self.path, toml_text(_as_tables(changed)).encode())
            self.settings = changed
        return changed


def read_settings(path: Path) -> Settings:
    """The settings in a file; those by default where there is none. Raises TetradError in one line."""
    try:
        document = read_toml(path)
    except FileNotFoundError:
        return Settings()
    values: dict[str, Any] = {}
    try:
        for table, content in document.items():
            keys = _TABLES.get(table)
            if keys is None or not isinstance(content, Mapping):
                raise TetradError(f"{shown(table)} is unknown; the tables audio and midi were expected")
            for key, value in content.items():
                if key not in keys:
                    raise TetradError(f"{table}.{shown(key)} is unknown; {', '.join(keys)} were expected")
                values[keys[key]] = value
        return Settings(**values)
    except TetradError as error:
        raise TetradError(f"{path}: {error}; correct it, or remove it") from error


def toml_text(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """TOML of tables of texts, whole numbers, true and false, and lists of these."""
    lines = []
    for table, content in tables.items():
        lines += [f"[{table}]", *(f"{key} = {_toml(value)}" for key, value in content.items()), ""]
    return "\n".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, (bool, int)):
        return json.dumps(value)
    if isinstance(value, str):
        # JSON's texts are TOML's, but for DEL, and for what JSON writes as two halves of a pair.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    raise TetradError(f"{shown(value)} has no place in the settings; a text, a whole number or a list was expected")


def _as_tables(settings: Settings) -> dict[str, dict[str, Any]]:
    tables = {
        table: {key: value for key, name in keys.items() if (value := getattr(settings, name)) is not None}
        for table, keys in _TABLES.items()
    }
    return {table: content for table, content in tables.items() if content}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value) and not any(0xD800 <= ord(character) <= 0xDFFF for character in value)


def _check_whole(name: str, value: object, low: int, high: int) -> None:
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise _refused(name, value, f"a whole number from {low} to {high}")


def _refused(name: str, value: object, expected: str) -> TetradError:
    return TetradError(f"{name} is {shown(value)}; {expected} was expected")
