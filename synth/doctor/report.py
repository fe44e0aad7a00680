"""One archive for a bug report: what the checks say, how it is set up, what was said last; nothing private in it."""

import io
import json
import platform
import subprocess
import time
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synth.control.patch_bank import shipped_patches_dir
from synth.doctor.check import Check
from synth.doctor.engine import RunningEngine
from synth.doctor.machine import Machine
from synth.doctor.private import Scrubber, known_secrets
from synth.doctor.versions import versions
from synth.errors import TetradError
from synth.files import atomic_write_bytes
from synth.instruments.format import SUFFIX
from synth.paths import shipped_instruments_dir, user_data_dir

MOST_LINES, LONGEST_LINE = 400, 2000
SETTINGS = ("settings.toml", "board.toml", "ui.toml")
_STATUS = ("audio", "health", "voices", "midi", "server", "clock", "grid", "imports", "gesture", "parameters", "point")
"""Parts of the status that hold no names of the player's, but for `imports.source`, which is left out."""
_READ_ME = """This archive was made by `tetrad doctor --report` for a bug report. What is in it:

checks.json     what was checked, with verdicts, figures and remedies
versions.json   of Tetrad, Python and the libraries
hardware.json   names of the computer, its sound cards, USB and input devices
settings/       what was chosen for this machine
midi_map.json   which controllers do what, in the current sound (with a running engine: in its)
status.json     how the running engine fares
log.txt         what the engine, and its services, said last

Taken out: names of user, host and home; names of the player's patches, instruments, recordings and imported files;
paths, serial numbers, network addresses. Look into it before you send it, all the same: it is yours.
"""


def write_report(path: Path, found: Sequence[Check], engine: RunningEngine | None, machine: Machine) -> Path:
    """Write the archive, whole or not at all; gives its path. Raises TetradError where it can't be written."""
    if path.suffix != ".zip":
        raise TetradError(f"the report {path} has no .zip at its end; the name of an archive was expected; add it")
    home = user_data_dir()
    scrubber = Scrubber(known_secrets(machine, home, _shipped_names()))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in contents(found, engine, machine, home, scrubber).items():
            # A time of its own: the clock of who sends it says where on the earth that is.
            archive.writestr(zipfile.ZipInfo(name, time.gmtime()[:6]), text, zipfile.ZIP_DEFLATED)
    atomic_write_bytes(path, stream.getvalue())
    return path


def contents(
    found: Sequence[Check], engine: RunningEngine | None, machine: Machine, home: Path, scrubber: Scrubber
) -> dict[str, str]:
    """Texts by the names that they have in the archive."""
    texts = {
        "README.txt": _READ_ME,
        "checks.json": _json({"checks": scrubber.value([check._asdict() for check in found])}),
        "versions.json": _json(versions()),
        "hardware.json": _json(scrubber.value(hardware(machine))),
        "midi_map.json": _json(scrubber.value(_midi_map(engine, home))),
        "log.txt": "\n".join(log_lines(engine, home, scrubber)) + "\n",
    }
    for name in SETTINGS:
        words = machine_text(home / name)
        if words:
            texts[f"settings/{name}"] = scrubber.text(words) + "\n"
    if engine is not None:
        texts["status.json"] = _json({"engine": engine.name, **scrubber.value(_status(engine))})
    return texts


def hardware(machine: Machine) -> dict[str, Any]:
    """Names of what it is and what is plugged in; no serial numbers, and no network."""
    names = {
        "usb": "/sys/bus/usb/devices/*/product",
        "input": "/sys/class/input/input*/name",
        "sound": "/proc/asound/card*/id",
        "displays": "/sys/class/drm/card*-*/status",
    }
    memory = next((line for line in machine.text("/proc/meminfo").splitlines() if line.startswith("MemTotal")), "")
    return {
        "computer": machine.model(),
        "processor": machine.processor(),
        "cores": len(machine.glob("/sys/devices/system/cpu/cpu[0-9]*")),
        "memory": memory.partition(":")[2].strip(),
        "kernel": f"{machine.text('/proc/sys/kernel/osrelease')} {machine.text('/proc/sys/kernel/version')}",
        "system": machine.text("/etc/os-release").splitlines()[:1],
        "architecture": platform.machine(),
        "modules": machine.text("/proc/asound/cards").splitlines(),
        **{
            kind: [f"{path.parent.name}: {machine.text(path)}" for path in machine.glob(p)] for kind, p in names.items()
        },
    }


def log_lines(engine: RunningEngine | None, home: Path, scrubber: Scrubber) -> list[str]:
    """The newest last, at most 400: the running engine's, log files' in the data folder, and the services' journal."""
    lines = []
    for path in sorted((home / "logs").glob("*.log*"), key=lambda path: path.stat().st_mtime):
        lines += [f"[{path.name}] {line}" for line in machine_text(path).splitlines()[-MOST_LINES:]]
    lines += [f"[journal] {line}" for line in _journal()]
    for line in engine.log if engine is not None else ():
        when = time.strftime("%H:%M:%S", time.gmtime(float(line.get("time_s", 0.0))))
        words = _WITHOUT_NAMES.get(str(line.get("kind")), str(line.get("words", "")))
        lines.append(f"[engine] {when} {line.get('kind')}: {words}")
    return [scrubber.text(line[:LONGEST_LINE]) for line in lines[-MOST_LINES:]]


_WITHOUT_NAMES = {"patch_changed": "another patch", "recording_saved": "a recording is finished"}
"""Lines of the log that are nothing but a name."""


def machine_text(path: Path) -> str:
    """Text of a file of the player's, its last 200 kB; empty where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - 200_000, 0))
            return file.read(200_000).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _journal() -> list[str]:
    """What the services said last, where there is a journal that this user may read."""
    command = ["journalctl", "--output=cat", "--no-pager", f"--lines={MOST_LINES}", "--unit=tetrad-*"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=10.0, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.decode("utf-8", "replace").splitlines() if done.returncode == 0 else []


def _midi_map(engine: RunningEngine | None, home: Path) -> Mapping[str, Any]:
    if engine is not None:
        return engine.midi
    try:
        midi = json.loads(machine_text(home / "current.json"))["patch"].get("midi", {})
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return midi if isinstance(midi, dict) else {}


def _status(engine: RunningEngine) -> dict[str, Any]:
    status = {name: dict(engine.part(name)) for name in _STATUS}
    status["imports"].pop("source", None)
    return status


def _shipped_names() -> list[str]:
    instruments = [path.name.removesuffix(SUFFIX) for path in shipped_instruments_dir().glob(f"*{SUFFIX}")]
    return instruments + [path.stem for path in shipped_patches_dir().glob("*.json")]


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
