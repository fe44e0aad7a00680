"""Finding and installing peers, and what each takes on disk."""

import importlib.metadata
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from benchmarks.peers.peer import PeerError

ROOT = Path(__file__).resolve().parents[2]
RUNTIME_PINS = ROOT / ".ci" / "requirements" / "runtime.txt"
_PROGRAM = ("synth", "ui", "firmware_host")
_SHIPPED = (ROOT / "synth" / "instruments" / "shipped", *(ROOT / "models" / "pretrained").glob("*.onnx"))
_LEFT_OUT = {"__pycache__", "pictures", "shipped"}


def install(packages: Iterable[str], what_for: str, said: IO[str]) -> None:
    """Install Debian packages that are missing, where that is possible; its words go to `said`, a real file."""
    arguments = [word for package in packages for word in (package, what_for)]
    subprocess.run([ROOT / ".ci" / "apt.sh", *arguments], check=False, stdout=said)


def part_of(package: str) -> str:
    """Under which word a Debian package's size counts."""
    return "sounds" if package.endswith(("-data", "-gm")) else "program"


def debian_mb(packages: Iterable[str]) -> float:
    """What Debian packages take, MB, without those they depend on. Raises PeerError for a missing one."""
    if shutil.which("dpkg-query") is None:
        raise PeerError("dpkg-query is missing; a Debian system was expected; the peers' sizes are asked of it.")
    total_kib = 0
    for package in packages:
        command = ["dpkg-query", "--show", "--showformat=${db:Status-Abbrev} ${Installed-Size}", package]
        found = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        total_kib += installed_kib(package, found)
    return total_kib * 1024 / 1e6


def installed_kib(package: str, said: str) -> int:
    """KiB out of dpkg-query's `ii  1234`. Raises PeerError where the package is not installed."""
    found = re.fullmatch(r"ii\s+(\d+)", said.strip())
    if found is None:
        raise PeerError(f"The Debian package {package} is not installed; install it.")
    return int(found[1])


def pinned_names(pins: str) -> list[str]:
    """Names of the packages that a pinned requirement file lists."""
    return re.findall(r"^([A-Za-z0-9][\w.-]*)==", pins, flags=re.MULTILINE)


def distributions_mb(names: Iterable[str]) -> tuple[float, list[str]]:
    """What installed Python packages take, MB, and the names of those that are not installed."""
    size, missing = 0, []
    for name in names:
        try:
            files = importlib.metadata.files(name) or []
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
            continue
        size += sum(path.stat().st_size for path in (Path(str(file.locate())) for file in files) if path.is_file())
    return size / 1e6, missing


def tetrad_mb() -> dict[str, float]:
    """MB on the device: `libraries` (the pinned Python packages), `program`, `sounds` (instruments, networks)."""
    libraries_mb, _ = distributions_mb(pinned_names(RUNTIME_PINS.read_text(encoding="utf-8")))
    program = (path for name in _PROGRAM for path in (ROOT / name).rglob("*") if not _LEFT_OUT & set(path.parts))
    sounds = (path for place in _SHIPPED for path in (place.rglob("*") if place.is_dir() else [place]))
    return {"libraries": libraries_mb, "program": _size_mb(program), "sounds": _size_mb(sounds)}


def _size_mb(paths: Iterable[Path]) -> float:
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6
