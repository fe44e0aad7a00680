"""What the box leaves out of its packages: real libraries still load, and nothing but libraries is touched."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hardware.pi.slim import NEVER_RUN, loaded_length, shorten, slim

# Found, not imported: Kivy makes a folder in the home of whoever imports it.
_SPEC = importlib.util.find_spec("kivy")
assert _SPEC is not None
assert _SPEC.submodule_search_locations is not None
(KIVY,) = Path(_SPEC.submodule_search_locations[0]).glob("graphics/transformation.*.so")


def test_a_shortened_library_loads_and_does_what_it_did(tmp_path: Path) -> None:
    package = tmp_path / "kivy" / "graphics"
    package.mkdir(parents=True)
    library = package / KIVY.name
    shutil.copy(KIVY, library)
    before = library.stat()
    gone = shorten(library)
    assert gone > before.st_size // 3
    assert library.stat().st_size == before.st_size - gone
    assert library.stat().st_mode == before.st_mode
    # In its own process, under its own name, in place of Kivy's.
    code = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("kivy.graphics.transformation", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
matrix = module.Matrix().translate(1, 2, 3)
print(matrix.transform_point(1, 1, 1))
"""
    shown = subprocess.run([sys.executable, "-c", code, library], capture_output=True, text=True, check=True)
    assert shown.stdout == "(2.0, 3.0, 4.0)\n"
    assert shorten(library) == 0


def test_nothing_that_is_mapped_goes(tmp_path: Path) -> None:
    library = tmp_path / "one.so"
    shutil.copy(KIVY, library)
    whole = library.read_bytes()
    shorten(library)
    short = library.read_bytes()
    assert len(short) == loaded_length(whole) == loaded_length(short)
    assert short[64:] == whole[64 : len(short)]


@pytest.mark.parametrize(
    "content", [b"", b"\x7fELF\x01\x01" + bytes(100), b"text" * 50, b"\x7fELF\x02\x01" + b"\xff" * 58]
)
def test_what_is_no_library_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.so"
    path.write_bytes(content)
    assert shorten(path) == 0
    assert path.read_bytes() == content


def test_folders_that_nobody_runs_go_and_others_stay(tmp_path: Path) -> None:
    for name in ("numpy/_core/tests/test_x.py", "numba/tests/a.py", "numpy/testing/b.py", "synth/tests/c.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(10))
    assert slim(tmp_path) == 20
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.py"))
    assert left == ["numpy/testing/b.py", "synth/tests/c.py"]


def test_what_installs_goes_with_its_records_and_what_only_sounds_alike_stays(tmp_path: Path) -> None:
    for name in ("pip/a.py", "pip-26.1.dist-info/METADATA", "setuptools/b.py", "_distutils_hack/c.py", "pipes/d.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(10))
    (tmp_path / "distutils-precedence.pth").write_bytes(bytes(10))
    assert slim(tmp_path) == 50
    assert [path.name for path in tmp_path.iterdir()] == ["pipes"]
    assert slim(tmp_path) == 0


def test_the_folders_are_there_in_what_is_installed() -> None:
    site_packages = Path(np.__file__).parents[1]
    assert [pattern for pattern in NEVER_RUN if not any(site_packages.glob(pattern))] == []
