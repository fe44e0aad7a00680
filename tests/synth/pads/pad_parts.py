"""Pads and files of the original for tests, made by this script: notes that can be told apart."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from synth.control.events import Event
from synth.frames import pitch_to_hz
from synth.pads.loaded_pad import LoadedPad, load_pad
from synth.pads.pad_engine import PadEngine
from synth.pads.pad_file import Pad, PadWriter
from synth.pads.pad_header import PadSpec

Samples = npt.NDArray[np.floating]
CORNERS = ("north-west", "north-east", "south-west", "south-east")


def make_pad(
    path: Path,
    note: Callable[[int, int, float], Samples],
    *,
    resolution: int = 3,
    pitches: tuple[int, ...] = (48, 60, 72),
    rate_hz: int = 48_000,
    loop: tuple[int, int] = (0, 0),
    release_start: int | None = None,
) -> LoadedPad:
    """A pad whose rows are `note(y, x, f0_hz)`, loaded."""
    n = note(0, 0, 440.0).size
    spec = PadSpec("test", CORNERS, pitches, resolution, rate_hz, n, 100)
    with PadWriter(path, spec) as writer:
        for y, x, p in writer.missing():
            samples = note(y, x, float(pitch_to_hz(pitches[p])))
            writer.write(y, x, p, samples, loop=loop, release_start=release_start)
        writer.finish()
    return load_pad(Pad.open(path))


def play(pad: LoadedPad, events: list[Event], seconds: float, rate_hz: int = 48_000, **more: int) -> Samples:
    """The left channel of an engine that plays `events`; the middle of the room is at gain 1 there."""
    engine = PadEngine(pad, sample_rate_hz=rate_hz, warm_up=False, **more)
    for event in events:
        assert engine.push(event)
    return engine.render(round(seconds * rate_hz))[:, 0].astype(np.float64)


def level_at(sound: Samples, hz: float, rate_hz: int = 48_000) -> float:
    """Amplitude of a sine in a sound, linear: by correlation under a Hann window."""
    window = np.hanning(sound.size)
    turns = np.exp(-2j * np.pi * hz * np.arange(sound.size) / rate_hz)
    return float(2.0 * abs(np.sum(sound * window * turns)) / window.sum())


PARTIALS = {"brass": 2, "flute": 3, "synthbass": 4, "marimba": 5}
"""Corners of the original-format set: beside the fundamental each has one partial of its own."""
ORIGINAL_PITCHES = (48, 60, 72)
ORIGINAL_RESOLUTION = 3


def original_weights(x: float, y: float) -> npt.NDArray[np.float64]:
    """As the original's utils.get_weights: distances to (0, 0), (1, 0), (0, 1), (1, 1), and not bilinear."""
    places = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
    near = np.maximum(1.0 - np.linalg.norm(np.array([x, y]) - places, axis=1), 0.0)
    return np.asarray(near / near.sum())


def write_original(folder: Path, *, length: int = 16_000) -> tuple[Path, Path, Path]:
    """A .bin as the original's 06_build_pads.py makes it (names in its order NW, NE, SE, SW; rows [y][x][pitch] of
    int16), and settings.json of its app and of its pipeline. Gives the three paths."""
    names = tuple(PARTIALS)
    rows = []
    t = np.arange(length) / 16_000
    places = np.linspace(0.0, 1.0, ORIGINAL_RESOLUTION)
    for y in places:
        for x in places:
            for pitch in ORIGINAL_PITCHES:
                f0 = float(pitch_to_hz(pitch))
                sound = np.zeros(length)
                for name, share in zip(names, original_weights(x, y), strict=True):
                    sound += share * np.sin(2.0 * np.pi * f0 * PARTIALS[name] * t)
                rows.append((8000.0 * sound).astype("<i2"))
    path = folder / ("_".join(names) + ".bin")
    np.asarray(rows).tofile(path)
    app = {
        "debug": False,
        "nsynth": {
            "dataDirectory": "/home/pi/pads",
            "resolution": ORIGINAL_RESOLUTION,
            "pitches": list(ORIGINAL_PITCHES),
            "length": length,
            "sampleRate": 16000,
            "looping": True,
            "loopStart": 0.2,
            "loopEnd": 0.41,
        },
        "corners": [{"instruments": [{"name": name, "display": name.upper(), "abbr": "XX"}]} for name in names],
        "audio": {"sampleRate": 48000, "bufferSize": 128},
        "osc": {"in": {"portNumber": 8000}},
    }
    pipeline = {
        "pads": dict(zip(("NW", "NE", "SE", "SW"), ([name, f"other{name}"] for name in names), strict=True)),
        "magenta_dir": "~/magenta",
        "pitches": list(ORIGINAL_PITCHES),
        "resolution": ORIGINAL_RESOLUTION,
        "final_length": length,
        "gpus": 16,
    }
    app_path, pipeline_path = folder / "settings.json", folder / "pipeline.json"
    app_path.write_text(json.dumps(app), encoding="utf-8")
    pipeline_path.write_text(json.dumps(pipeline), encoding="utf-8")
    return path, app_path, pipeline_path
