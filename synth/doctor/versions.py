"""Versions: Python's, ours, and those of the libraries that the engine stands on."""

import importlib.metadata
import platform
import re
import sys
from collections.abc import Callable

from synth import __version__
from synth.doctor.check import Check, fail, ok

LIBRARIES = (
    "numpy", "numba", "llvmlite", "onnxruntime", "sounddevice", "python-rtmidi", "JACK-Client", "soundfile", "soxr",
    "kivy", "pyserial", "python-osc", "mido", "swift-f0", "pyfluidsynth",
)  # fmt: skip
"""Of our requirements those in which a version makes a difference to what is heard or seen."""
_REINSTALL = "install Tetrad again (`make play` in a checkout, hardware/pi/install.sh on a Raspberry Pi)"
Version = Callable[[str], str]


def checks(version: Version = importlib.metadata.version) -> list[Check]:
    """version: of an installed distribution; raises PackageNotFoundError."""
    python = f"Python {platform.python_version()} ({platform.machine()}, {sys.platform})"
    return [ok("version", f"tetrad {__version__}, {python}"), libraries(version)]


def versions(version: Version = importlib.metadata.version) -> dict[str, str]:
    """Of every library that is there."""
    found = {"tetrad": __version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def libraries(version: Version = importlib.metadata.version) -> Check:
    """Whether all that Tetrad asks for is there, and new enough."""
    name, there = "libraries", versions(version)
    wrong = []
    for distribution, least in _wanted().items():
        try:
            found = version(distribution)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{distribution} is missing")
            continue
        if _numbers(found) < _numbers(least):
            wrong.append(f"{distribution} {found} is older than {least}")
    if wrong:
        return fail(name, ", ".join(wrong), _REINSTALL)
    return ok(name, ", ".join(f"{library} {there[library]}" for library in LIBRARIES if library in there))


def _wanted() -> dict[str, str]:
    """Our requirements and the least version of each; none where Tetrad was started from a folder, not installed."""
    try:
        requirements = importlib.metadata.requires("tetrad") or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    found = (re.fullmatch(r"([\w.-]+)>=([\d.]+)", requirement) for requirement in requirements)
    return {match[1]: match[2] for match in found if match}


def _numbers(version: str) -> tuple[int, ...]:
    """ "1.26.4rc1" is (1, 26, 4)."""
    return tuple(int(part) for part in re.findall(r"\d+", re.split(r"[a-z+-]", version, maxsplit=1)[0]))
