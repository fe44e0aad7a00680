"""What the audit of dependencies finds wrong, in planted pins; and that Tetrad's own pins are right."""

import pytest

from benchmarks import audit

HASH = " --hash=sha256:" + "0a" * 32
GOOD = f"# made by pip-compile\nnumpy==2.4.6 \\\n   {HASH} \\\n   {HASH}\nPython.OSC==1.10.2{HASH}\n"


def test_good_pins_have_no_problem() -> None:
    pins, problems = audit.read_pins(GOOD)
    assert pins == [("numpy", "2.4.6", 2), ("python-osc", "1.10.2", 1)]
    assert problems == audit.pin_problems({"runtime.txt": GOOD, "torch.txt": "torch==2.13.0\n"}) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("numpy==2.4.6\n", "numpy has no hash"),
        ("numpy==2.4.6 --hash=sha256:0a0a\n", "numpy has no hash"),
        (f"numpy==2.4.6 --hash=md5:{'0a' * 16}\n", "numpy has no hash"),
        (f"numpy>=2.4.6{HASH}\n", "is no pin"),
        ("https://example.org/numpy.whl\n", "is no pin"),
        ("--extra-index-url https://example.org/simple\n", "is no pin"),
        (f"numpy==2.4.5{HASH}\n", "numpy is 2.4.5, but 2.4.6 in a.txt"),
    ],
)
def test_what_is_no_pin_is_named(line: str, words: str) -> None:
    problems = audit.pin_problems({"a.txt": GOOD, "b.txt": line})
    assert len(problems) == 1
    assert words in problems[0]


def test_what_is_declared_or_installed_is_pinned() -> None:
    project = '[project]\ndependencies = ["numpy>=2", "mido[x]>=1"]\noptional-dependencies = {screen = ["Kivy>=2.3"]}\n'
    assert [line.split()[1] for line in audit.undeclared(project, {"numpy"})] == ["kivy", "mido"]
    pinned = {"numpy": "2.4.6", "torch": "2.13.0"}
    good = {"numpy": "2.4.6", "torch": "2.13.0+cpu", "pip": "26", "tetrad": "0"}
    assert audit.installed_problems(good, pinned) == []
    problems = audit.installed_problems({"numpy": "2.4.5", "evil": "1"}, pinned)
    assert [line.split()[0] for line in problems] == ["evil", "numpy"]


def test_tetrads_own_pins_are_right() -> None:
    files = {path.name: path.read_text(encoding="utf-8") for path in audit.PINS.glob("*.txt")}
    assert {"runtime.txt", "models.txt", "dev.txt", "torch.txt"} <= set(files)
    assert audit.pin_problems(files) == []
    pinned = {pin.name for text in files.values() for pin in audit.read_pins(text)[0]}
    assert audit.undeclared((audit.ROOT / "pyproject.toml").read_text(encoding="utf-8"), pinned) == []


@pytest.mark.parametrize("words", ["GPL-3.0-only", "GNU General Public License v3 (GPLv3)", "AGPL-3.0"])
def test_licences_that_would_bind_tetrad_are_seen(words: str) -> None:
    assert audit.COPYLEFT.search(words)
    assert not audit.COPYLEFT.search("LGPL-2.1-or-later")
    assert not audit.COPYLEFT.search("GNU Lesser General Public License v2")
