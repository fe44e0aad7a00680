"""torchaudio's CUDA objects go aside beside a CPU torch, and come back beside a CUDA torch."""

import subprocess
import sys
from pathlib import Path

import pytest

from models.fix_torchaudio import fix

LINKED = b"\x7fELF...libc10_cuda.so\x00..."


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libtorchaudio.so").write_bytes(LINKED)
    return tmp_path


def test_aside_and_back_and_nothing_twice(package: Path) -> None:
    assert "moved" in fix(package, torch_has_cuda=False)
    assert [path.name for path in package.iterdir()] == ["lib.cuda"]
    assert fix(package, torch_has_cuda=False) == "torchaudio fits torch as it is"
    assert "back" in fix(package, torch_has_cuda=True)
    assert (package / "lib" / "libtorchaudio.so").read_bytes() == LINKED
    assert fix(package, torch_has_cuda=True) == "torchaudio fits torch as it is"


def test_objects_without_cuda_stay(package: Path) -> None:
    (package / "lib" / "libtorchaudio.so").write_bytes(b"\x7fELF...libc10.so")
    fix(package, torch_has_cuda=False)
    assert (package / "lib").is_dir()


def test_here_torchaudio_imports() -> None:
    """In a process of its own, as an import can only be tried once."""
    code = "import torch, torchaudio; print(torchaudio.functional.resample(torch.ones(480), 48_000, 16_000).shape[0])"
    result = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "160\n"
