"""Where each Python package of the device comes from, by pip itself: writes wheels.md, or says what has changed.

    python -m hardware.pi.wheels [--check]

The device compiles nothing. So each pin of .ci/requirements/runtime.txt and build.txt needs a wheel for aarch64, one of
pure Python, or a Debian package; `install.sh` leaves out what DEBIAN names. pip is asked for the systems' Pythons and
takes only files whose hashes are among the pins', as on the device. Needs a network.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PINS = tuple(HERE.parents[1] / ".ci" / "requirements" / name for name in ("build.txt", "runtime.txt"))
TABLE = HERE / "wheels.md"
SYSTEMS = {"3.11": "Debian 12", "3.13": "Debian 13"}
DEBIAN = {("python-rtmidi", "3.13"): "python3-rtmidi"}
"""(package, Python): the Debian package in its place."""
GLIBC_MINOR = 36
"""Debian 12's glibc is 2.36: wheels for manylinux of up to that run there."""
PLATFORMS = [f"manylinux_2_{minor}_aarch64" for minor in range(GLIBC_MINOR, 16, -1)] + ["manylinux2014_aarch64"]
HEAD = """# Where the device's Python packages come from

Written by `python -m hardware.pi.wheels`, which asks pip; do not edit. "pure": one wheel for every machine. Else the
wheel's tags: its Python, its ABI, its platform. All have hashes among the pins; the first eight digits are here.

| package | version | {systems} |
|---|---|---|---|
"""


@dataclass(frozen=True)
class Pin:
    """A package at its version, and the SHA-256 sums of the files that may be it."""

    name: str
    version: str
    sha256: frozenset[str]


def read_pins(path: Path) -> list[Pin]:
    """The pins of a requirements file with hashes."""
    blocks = re.findall(r"^([\w.-]+)==(\S+) \\\n((?:    --hash=\S+(?: \\)?\n)+)", path.read_text(), re.MULTILINE)
    return [
        Pin(name.lower(), version, frozenset(re.findall("sha256:([0-9a-f]{64})", hashes)))
        for name, version, hashes in blocks
    ]


def all_pins() -> list[Pin]:
    """Those of the device, in the table's order."""
    return sorted({pin for path in PINS for pin in read_pins(path)}, key=lambda pin: pin.name)


def ask_pip(pins: list[Pin], python: str) -> dict[str, str]:
    """{package: "tags, first digits of SHA-256"} for a Python version on aarch64. Raises SystemExit where pip finds no
    wheel."""
    lines = [
        f"{pin.name}=={pin.version} {' '.join(f'--hash=sha256:{one}' for one in sorted(pin.sha256))}"
        for pin in pins
        if (pin.name, python) not in DEBIAN
    ]
    with tempfile.TemporaryDirectory() as folder:
        wanted, report = Path(folder, "pins.txt"), Path(folder, "report.json")
        wanted.write_text("\n".join(lines))
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--dry-run"]
        command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "--target", folder, "--ignore-installed"]
        command += ["--python-version", python, "--implementation", "cp"]
        command += [word for platform in PLATFORMS for word in ("--platform", platform)]
        done = subprocess.run([*command, "--report", report, "--requirement", wanted], check=False)
        if done.returncode:
            raise SystemExit(f"pip finds no wheel of a pin for Python {python} on aarch64 (above); pin one that has")
        found = json.loads(report.read_text())["install"]
    return {entry["metadata"]["name"].lower().replace("_", "-"): _words(entry["download_info"]) for entry in found}


def _words(download: dict[str, object]) -> str:
    file = str(download["url"]).rpartition("/")[2].partition("#")[0]
    python, abi, platform = file.removesuffix(".whl").rsplit("-", 3)[1:]
    tags = "pure" if (abi, platform) == ("none", "any") else f"{python} {abi} {platform.partition('.')[0]}"
    return f"{tags}, {download['archive_info']['hashes']['sha256'][:8]}"  # type: ignore[index]


def table(pins: list[Pin], sources: dict[str, dict[str, str]]) -> str:
    """The page. sources: {Python: what `ask_pip` gave}."""
    lines = [HEAD.format(systems=" | ".join(f"{system}, Python {python}" for python, system in SYSTEMS.items()))]
    for pin in pins:
        cells = [
            f"Debian's {DEBIAN[pin.name, python]}" if (pin.name, python) in DEBIAN else sources[python][pin.name]
            for python in SYSTEMS
        ]
        lines.append(f"| {pin.name} | {pin.version} | {' | '.join(cells)} |\n")
    return "".join(lines)


def main() -> int:
    """Write or check the page; returns the exit status."""
    words = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m hardware.pi.wheels", description=words)
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 where the page is another")
    args = parser.parse_args()
    pins = all_pins()
    page = table(pins, {python: ask_pip(pins, python) for python in SYSTEMS})
    if not args.check:
        TABLE.write_text(page)
    elif page != TABLE.read_text():
        print(f"{TABLE} is not what pip finds for the pins; run python -m hardware.pi.wheels", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
