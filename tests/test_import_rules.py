"""Imports run one way, and each device or training library stays in the files that own it (DESIGN, section 4)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Small modules without dependencies upward, which every package may use.
FOUNDATION = (
    "synth.command",
    "synth.doctor.check",
    "synth.doctor.machine",
    "synth.errors",
    "synth.files",
    "synth.paths",
)
# Package -> the first-party modules (with what is inside them) that it may import, besides itself.
MAY_IMPORT = {
    "synth": (),
    "firmware_host": ("synth.io.client", "synth.control", *FOUNDATION),
    "ui": ("synth.io.client", "synth.control", *FOUNDATION),
    "models": (
        "synth.instruments",
        "synth.control",
        "synth.frames",
        "synth.grid",
        "synth.jit",
        "synth.jobs",
        "synth.lsd",
        "synth.onnx",
        "synth.pads",
        "synth.voices.apart",
        "synth.voices.decoder",
        "synth.voices.prepared",
        "synth.voices.prepared_path",
        *FOUNDATION,
    ),
}
# Library -> the files (or folders, with a slash) that may import it.
OWNERS = {
    "torch": ("models/",),
    "dask": ("synth/dask_jobs.py",),
    "distributed": ("synth/dask_jobs.py",),
    "torchaudio": ("models/audio.py",),
    "tinysoundfont": ("models/dataset/",),
    "onnx": ("models/",),
    "safetensors": ("models/",),
    "matplotlib": ("models/training_log.py", "synth/grid/report.py"),
    "tensorboardX": ("models/training_log.py",),
    "google_crc32c": ("models/magenta/",),
    "kivy": ("ui/",),
    "serial": ("firmware_host/link.py", "synth/io/din_midi.py"),
    "sounddevice": ("synth/io/sound_cards.py",),
    "jack": ("synth/io/jack_library.py", "synth/io/jack_audio.py", "synth/io/jack_midi.py"),
    "pythonosc": ("synth/io/osc.py",),
    "rtmidi": ("synth/io/midi_ports.py",),
    "mido": ("synth/io/midi_file.py",),
    "soundfile": (
        "synth/io/wav.py",
        "synth/io/take.py",
        "synth/instruments/audio_files.py",
        "synth/instruments/residual_codec.py",
        "models/",
    ),
    "swift_f0": ("synth/instruments/pitch_features.py", "models/pitch_check.py"),
    "fluidsynth": ("synth/instruments/soundfont_renderer.py",),
    "llvmlite": ("synth/native.py", "models/generation_kernels.py"),
    "onnxruntime": ("synth/onnx.py",),
}


def imported_modules(source: str, module: str) -> Iterator[str]:
    """Dotted names that the source of `module` imports; of `from a import b` both `a.b` (it may be a module)."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=origin, names=names, level=level):
                parents = module.split(".")[:-level] if level else []
                base = ".".join([*parents, origin] if origin else parents)
                yield from (f"{base}.{alias.name}" for alias in names)
            case ast.Call(func=ast.Name(id="__import__") | ast.Attribute(attr="import_module"), args=[first, *_]):
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value


def violations(path: str, source: str) -> list[str]:
    """What the file at `path` (relative to the repository) imports against the rules, one sentence each."""
    package = path.split("/", maxsplit=1)[0]
    module = path.removesuffix(".py").replace("/", ".")
    found = []
    for name in imported_modules(source, module):
        top = name.partition(".")[0]
        if top in MAY_IMPORT and top != package:
            allowed = MAY_IMPORT[package]
            if not any(name == prefix or name.startswith(f"{prefix}.") for prefix in allowed):
                found.append(f"{path} imports {name}; {package} may import {', '.join(allowed) or 'no other package'}")
        if top in OWNERS and not path.startswith(OWNERS[top]):
            found.append(f"{path} imports {top}, which belongs to {', '.join(OWNERS[top])}")
    return found


def source_files() -> list[str]:
    """Every Python file of the four packages, relative to the repository."""
    return sorted(str(path.relative_to(ROOT)) for package in MAY_IMPORT for path in (ROOT / package).rglob("*.py"))


def test_every_package_is_read() -> None:
    assert {path.split("/", maxsplit=1)[0] for path in source_files()} == set(MAY_IMPORT)


@pytest.mark.parametrize("path", source_files())
def test_imports_keep_the_rules(path: str) -> None:
    assert violations(path, (ROOT / path).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("synth/voices/engine.py", "import models.train"),
        ("synth/voices/engine.py", "from models import audio"),
        ("synth/io/client.py", "def f():\n    import ui.main"),
        ("synth/render.py", "import torch"),
        ("synth/render.py", "from torch.nn import functional"),
        ("synth/play.py", "import importlib\nimportlib.import_module('torch')"),
        ("synth/play.py", "__import__('sounddevice')"),
        ("synth/io/midi_ports.py", "import sounddevice"),
        ("models/train.py", "import torchaudio"),
        ("models/train.py", "from synth.voices import engine"),
        ("models/train.py", "from synth import voices"),
        ("models/train.py", "from synth import play"),
        ("ui/surface.py", "from synth.voices.engine import Engine"),
        ("ui/surface.py", "import firmware_host"),
        ("firmware_host/codec.py", "import serial"),
        ("synth/voices/voice.py", "from ...models import train"),
    ],
)
def test_a_planted_violation_is_caught(path: str, source: str) -> None:
    assert len(violations(path, source)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("synth/io/sound_cards.py", "import sounddevice\nfrom synth.errors import TetradError\nfrom . import wav"),
        ("models/audio.py", "import torch, torchaudio\nfrom synth.instruments.analysis import analyse"),
        ("models/evaluate.py", "from synth.voices.decoder import Decoder\nfrom synth.voices import decoder"),
        ("ui/surface.py", "import kivy\nfrom synth.io.client import Client\nfrom synth import control"),
        ("synth/paths.py", 'text = "import torch"  # import torch'),
    ],
)
def test_what_is_allowed_is_not_reported(path: str, source: str) -> None:
    assert violations(path, source) == []
