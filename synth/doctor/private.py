"""What nobody else is to know is taken out of texts: who somebody is, where, and what they called their things.

Two nets. What is *known* here (user, host, home, names of the player's own files, serial numbers) is replaced wherever
it stands. What only *looks* private is cut off by its form: file names with an ending of ours, paths below places for
people, network addresses, long numbers. The second net takes rather too much: a report can be read without them.
"""

import getpass
import json
import os
import pwd
import re
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from synth.control.kept_files import file_stem
from synth.doctor.machine import Machine
from synth.errors import TetradError
from synth.instruments.format import SUFFIX, read_header
from synth.instruments.labels import read_labels

MOST_FILES, MOST_BYTES = 20_000, 4_000_000
PUBLIC_NAMES = frozenset({"root", "tetrad", "localhost", "raspberrypi", "vm", "linux", "debian", "nobody"})
"""Users and hosts that are so by default: they tell nothing, and some are words."""
_OURS = frozenset({".library.json", ".library.lock", ".numbers.json"})
_SERIALS = (
    "/proc/device-tree/serial-number",
    "/sys/class/dmi/id/*serial*",
    "/sys/class/dmi/id/product_uuid",
    "/sys/bus/usb/devices/*/serial",
    "/sys/block/*/device/serial",
    "/sys/class/net/*/address",
    "/etc/machine-id",
)
_KINDS = (
    "wav|wave|flac|ogg|oga|opus|mp3|m4a|aac|aiff?|aifc|caf|w64|au|sfz|sf2|sf3|midi?|scl|kbm|syx|json|toml|png|zip|bin"
)
_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b", re.I), "<address>"),
    (re.compile(r"\b(?!127\.0\.0\.1\b|0\.0\.0\.0\b)(?:\d{1,3}\.){3}\d{1,3}\b"), "<address>"),
    (
        re.compile(r"(?<![\w:])(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){3,7}|[0-9a-f:]*::[0-9a-f:]*)(?![\w:])", re.I),
        "<address>",
    ),
    (re.compile(r"[\w.+<>-]+@[\w<>-]+\.[\w.<>-]+"), "<address>"),
    # Everything back to where the clause begins: names of files have blanks, commas and quotation marks in them.
    (re.compile(rf"[^\n:;]*\.(tetrad-\w+|{_KINDS})\b", re.I), r" <file>.\1"),
    (re.compile(r"(?:~|/(?:home|media|mnt|srv|Users|root|run/media|tmp|var/tmp))/[^\n:;]*"), "<path>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{12,}\b", re.I), "<number>"),
)


class Scrubber:
    """Takes out what it knows and what looks private. secrets: word -> what stands in its place."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        longest_first = sorted({word for word in secrets if word.strip()}, key=len, reverse=True)
        self._known = [(_pattern(word), secrets[word]) for word in longest_first]

    def text(self, words: str, *, forms: bool = True) -> str:
        """Without what is private. forms: use the second net as well."""
        for pattern, instead in self._known:
            words = pattern.sub(instead.replace("\\", ""), words)
        for pattern, instead in _FORMS if forms else ():
            words = pattern.sub(instead, words)
        return words

    def value(self, value: Any) -> Any:
        """The same of every text in a JSON value; keys are ours and stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        return value


def known_secrets(machine: Machine, home: Path, shipped: Iterable[str] = ()) -> dict[str, str]:
    """What this machine and this player have that is theirs. home: the data folder. shipped: names that are ours."""
    secrets = {str(Path.home()): "~", str(home): "<data>", os.path.realpath(home): "<data>"}
    secrets |= {name: instead for name, instead in _people() if name not in PUBLIC_NAMES}
    for pattern in _SERIALS:
        for path in machine.glob(pattern):
            serial = machine.text(path)
            if len(serial) >= 4 and not set(serial) <= set("0:.- "):
                secrets[serial] = "<number>"
    for line in machine.text("/proc/cpuinfo").splitlines():
        if line.startswith("Serial"):
            secrets[line.partition(":")[2].strip()] = "<number>"
    ours = {name.casefold() for name in shipped}
    for name, instead in _own_names(home):
        if name.casefold() not in ours and file_stem(name) not in ours:
            secrets.setdefault(name, instead)
    return secrets


def _people() -> list[tuple[str, str]]:
    found = [(socket.gethostname(), "<host>"), (socket.gethostname().partition(".")[0], "<host>")]
    found += [(os.uname().nodename, "<host>")]
    users = {os.environ.get(name, "") for name in ("USER", "LOGNAME", "SUDO_USER", "USERNAME")}
    with suppress(OSError, KeyError):  # a user without a name
        users.add(getpass.getuser())
    with suppress(KeyError):
        entry = pwd.getpwuid(os.getuid())
        users |= {entry.pw_name, Path(entry.pw_dir).name, *entry.pw_gecos.replace(",", " ").split()}
    users.add(Path.home().name)
    return found + [(user.strip(), "<user>") for user in users if user.strip()]


def _own_names(home: Path) -> list[tuple[str, str]]:
    """Of files below the data folder, and what they call themselves."""
    found = [(name, "<patch>") for name in _patch_names(home / "current.json")]
    with suppress(TetradError):  # damaged: it is not copied either
        for name, label in read_labels(home / "instruments").items():
            found += [(word, "<instrument>") for word in (name, label.display_name or "", *(label.tags or ()))]
    for path in sorted(home.rglob("*"))[:MOST_FILES]:
        if path.parent == home or path.is_dir() or path.name in _OURS:
            continue
        instead = f"<{path.relative_to(home).parts[0].rstrip('s')}>"
        stem = path.name.partition(".")[0] or path.name
        names = [path.name, stem, stem.replace("-", " "), *stem.split("+"), *_patch_names(path)]
        names += _instrument_names(path)
        found += [(name, instead) for name in names]
    return found


def _patch_names(path: Path) -> list[str]:
    """Names, author and tags in a small JSON file of the player's."""
    try:
        if path.suffix != ".json" or path.stat().st_size > MOST_BYTES:
            return []
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    parts = [document, document.get("patch")] if isinstance(document, dict) else []
    return [name for part in parts if isinstance(part, dict) for name in _texts(part)]


def _instrument_names(path: Path) -> list[str]:
    """The same in an instrument."""
    if path.suffix != SUFFIX:
        return []
    with suppress(TetradError):  # damaged: its file's name is known all the same
        return _texts(read_header(path))
    return []


def _texts(part: Mapping[str, Any]) -> list[str]:
    """Texts that a player writes; a licence is none."""
    found = [part[key] for key in ("name", "display_name", "stored", "author", "source") if key in part]
    tags = part.get("tags")
    return [text for text in (*found, *(tags if isinstance(tags, list) else ())) if isinstance(text, str)]


def _pattern(word: str) -> re.Pattern[str]:
    """Long words anywhere and in any case; short ones only alone, for "pi" and "al" are parts of many."""
    if len(word) >= 5:
        return re.compile(re.escape(word), re.I)
    return re.compile(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])")
