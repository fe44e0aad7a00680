"""What Tetrad's dependencies are: pinned, hashed, installed as pinned, licensed; and, online, not yanked.

    python -m benchmarks.audit [--online] [--json]

Checked without a network: every line of the pins is NAME==VERSION with SHA-256 hashes (torch's builds have different
ones: it is pinned by version); every dependency that pyproject.toml names is pinned; what is installed is of the pinned
version, and nothing else is; every licence is known, and none forbids shipping Tetrad under its own. With --online pip
is asked whether a pin was yanked, and pip-audit, where it is installed, for known vulnerabilities: both need an index.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / ".ci" / "requirements"
UNHASHED = {"torch"}
UNPINNED = {"tensorflow-cpu"}
"""Of the extra `tensorflow`, which writes one reference file: nothing of Tetrad installs it."""
LOOKED_UP = {"docutils": "public domain; the GPL is that of an Emacs mode, which its wheel does not hold"}
"""Licences that a distribution says too coarsely."""
OURS = {"tetrad"}
TOOLS = {"pip"}
"""What a virtual environment comes with."""
COPYLEFT = re.compile(r"\b(?:A?GPL|GNU (?:Affero )?General Public|SSPL|BUSL|Commons Clause)", re.IGNORECASE)
"""The LGPL, whose name these do not match as whole words, may be used as a library."""
_PIN = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}(?![0-9a-f])")
INDEX_WITHIN_S = 300.0


class Pin(NamedTuple):
    """A line of the pins. n_hashes: of sha256."""

    name: str
    version: str
    n_hashes: int


def plain(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_pins(text: str) -> tuple[list[Pin], list[str]]:
    """The pins of a requirements file, and what is no pin, one line each."""
    pins, problems = [], []
    for line in re.sub(r"\\\n", " ", text).splitlines():
        requirement = line.partition(" #")[0].strip()
        if not requirement or requirement.startswith("#"):
            continue
        found = _PIN.match(requirement)
        if found is None:
            problems.append(f"{requirement[:80]!r} is no pin; NAME==VERSION --hash=... was expected")
            continue
        pins.append(Pin(plain(found[1]), found[2], len(_HASH.findall(requirement))))
    return pins, problems


def pin_problems(files: Mapping[str, str]) -> list[str]:
    """What is wrong with requirements files, name -> content: no pin, no hash, two versions of one package."""
    problems, versions = [], dict[str, tuple[str, str]]()
    for file, text in sorted(files.items()):
        pins, wrong = read_pins(text)
        problems += [f"{file}: {words}" for words in wrong]
        for pin in pins:
            if not pin.n_hashes and pin.name not in UNHASHED:
                problems.append(f"{file}: {pin.name} has no hash; run `make pins`")
            before = versions.setdefault(pin.name, (pin.version, file))
            if before[0] != pin.version:
                problems.append(f"{file}: {pin.name} is {pin.version}, but {before[0]} in {before[1]}; run `make pins`")
    return problems


def undeclared(pyproject: str, pinned: set[str]) -> list[str]:
    """Dependencies that pyproject.toml names and no file pins."""
    project = tomllib.loads(pyproject)["project"]
    groups = [project.get("dependencies", []), *project.get("optional-dependencies", {}).values()]
    names = {plain(re.split(r"[\s<>=!~;\[@]", line)[0]) for group in groups for line in group} - OURS - UNPINNED
    return [f"pyproject.toml: {name} is pinned nowhere; run `make pins`" for name in sorted(names - pinned)]


def installed_problems(installed: Mapping[str, str], pinned: Mapping[str, str]) -> list[str]:
    """What is installed, name -> version, and not as pinned."""
    problems = []
    for name, version in sorted(installed.items()):
        if name in OURS | TOOLS:
            continue
        wanted = pinned.get(name)
        if wanted is None:
            problems.append(f"{name} {version} is installed and pinned nowhere; remove it, or pin it")
        elif version.partition("+")[0] != wanted.partition("+")[0]:  # +cpu and the like are builds of one version
            problems.append(f"{name} {version} is installed; {wanted} was expected; run `make` for it again")
    return problems


def licence_of(about: metadata.PackageMetadata) -> str:
    """In a few words; "" where a distribution does not say."""
    if plain(about["Name"]) in LOOKED_UP:
        return LOOKED_UP[plain(about["Name"])]
    expression = about.get("License-Expression")
    if expression:
        return expression
    classifiers = [line for line in about.get_all("Classifier") or [] if line.startswith("License ::")]
    names = [line.rpartition(" :: ")[2] for line in classifiers if line != "License :: OSI Approved"]
    text = (about.get("License") or "").strip().splitlines()
    return ", ".join(names) or (text[0][:80] if text else "")


def licences() -> dict[str, str]:
    """Of what is installed, by name."""
    return {plain(one.metadata["Name"]): licence_of(one.metadata) for one in metadata.distributions()}


def yanked(file: Path) -> list[str]:
    """Pins that their index took back, by pip's own report. Raises RuntimeError where pip can't tell."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--dry-run"]
        command += ["--ignore-installed", "--no-deps", "--require-hashes", "--report", str(report), "-r", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=INDEX_WITHIN_S, check=False)
        if done.returncode:
            raise RuntimeError((done.stderr.strip().splitlines() or ["pip said nothing"])[-1])
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    return [
        f"{file.name}: {one['metadata']['name']} {one['metadata']['version']} was yanked; run `make pins`"
        for one in found
        if one.get("is_yanked")
    ]


def vulnerable(file: Path) -> list[str] | None:
    """Known vulnerabilities by pip-audit; None where that is not installed."""
    program = shutil.which("pip-audit")
    if program is None:
        return None
    command = [program, "--disable-pip", "--no-deps", "--require-hashes", "--format", "json", "-r", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=INDEX_WITHIN_S, check=False)
    if not done.stdout.strip():
        raise RuntimeError((done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1])
    return [
        f"{file.name}: {one['name']} {one['version']} has {', '.join(bug['id'] for bug in one['vulns'])}; update it"
        for one in json.loads(done.stdout)["dependencies"]
        if one.get("vulns")
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--online", action="store_true", help="ask the index, too")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    paths = sorted(PINS.glob("*.txt"))
    files = {path.name: path.read_text(encoding="utf-8") for path in paths}
    pinned = {pin.name: pin.version for text in files.values() for pin in read_pins(text)[0]}
    installed = {plain(one.metadata["Name"]): one.version for one in metadata.distributions()}
    of_installed = {name: licence for name, licence in sorted(licences().items()) if name not in OURS}
    problems = pin_problems(files) + undeclared((ROOT / "pyproject.toml").read_text(encoding="utf-8"), set(pinned))
    problems += installed_problems(installed, pinned)
    problems += [f"{name} does not say its licence; look it up" for name, words in of_installed.items() if not words]
    runtime = {pin.name for pin in read_pins(files["runtime.txt"])[0]}
    problems += [
        f"{name}, which the device gets, is under {words}; one that may be shipped with Tetrad was expected"
        for name, words in of_installed.items()
        if name in runtime and COPYLEFT.search(words) and name not in LOOKED_UP
    ]
    not_asked = [] if args.online else ["yanked", "vulnerable"]
    for path in paths if args.online else []:
        if path.name == "torch.txt":
            continue
        try:
            problems += yanked(path)
            found = vulnerable(path)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            not_asked.append(f"{path.name}: {error}")
            continue
        if found is None:
            not_asked.append(f"{path.name}: vulnerable (pip-audit is not installed)")
        problems += found or []
    result = {"pins": len(pinned), "installed": len(installed), "problems": problems, "not_asked": not_asked}
    if args.json:
        print(json.dumps(result | {"licences": of_installed}))
    else:
        print("\n".join(f"{name:28} {installed[name]:16} {words}" for name, words in of_installed.items()))
        print(f"{len(pinned)} pins, {len(installed)} installed; not asked: {', '.join(not_asked) or 'nothing'}")
        print("\n".join(problems) or "no problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
