"""Imports as players meet them: a WAV goes to a running engine that plays 32 voices, and is heard in a corner."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synth.errors import TetradError
from synth.frames import SAMPLE_RATE_HZ
from synth.instruments.notes import SourceNote
from synth.io.client import Client
from synth.io.wav import open_wav

VOICES = 32
LIMIT_S = 120.0


@dataclass(frozen=True)
class EngineImports:
    """one_note_s: from the request to the sounding corner, the worker started for it; warm: by one that runs.

    peak_rss_mb: of the worker. xruns: blocks lost from the first request to the last corner.
    """

    one_note_s: float
    one_note_warm_s: float
    sixteen_notes_s: float
    peak_rss_mb: float
    xruns: int


def time_engine_imports(notes: Sequence[SourceNote]) -> EngineImports:
    """Import one note twice, then all of `notes` (sixteen, in the benchmark), into corners of an engine of its own."""
    with tempfile.TemporaryDirectory(prefix="tetrad-bench-") as home:
        folder = Path(home)
        one = _write(folder / "one", notes[:1])
        other = _write(folder / "other", notes[1:2])
        all_of_them = _write(folder / "all", notes)
        with _Engine(folder) as engine:
            for key in range(VOICES):
                engine.client.send("note_on", key=40 + key, velocity=80)
            engine.client.wait_for(lambda status: status["voices"]["sounding"] == VOICES, LIMIT_S)
            before = engine.underflows()
            cold_s = engine.time_import(one, "nw")
            warm_s = engine.time_import(other, "ne")
            all_s = engine.time_import(all_of_them, "sw")
            lost = engine.underflows() - before
            jobs = engine.client.request("imports")["imports"]
    return EngineImports(cold_s, warm_s, all_s, max(job["result"]["peak_rss_mb"] for job in jobs), lost)


class _Engine:
    """An engine in a process of its own, without a sound card, and a client of it."""

    def __init__(self, home: Path) -> None:
        self._notices: queue.Queue[tuple[str, Mapping[str, Any]]] = queue.Queue()
        socket = home / "s"
        command = [sys.executable, "-m", "synth", "--fresh", "--audio", "null", "--osc", "-1", "--socket", str(socket)]
        environment = {**os.environ, "TETRAD_HOME": str(home / "home"), "TETRAD_SOCKET": str(socket)}
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("Playing"):
                break
        self.client = Client(socket, on_notice=lambda notice, data: self._notices.put((notice, data)))

    def __enter__(self) -> _Engine:
        self.client.connect(LIMIT_S)
        self.client.subscribe(10.0)
        return self

    def __exit__(self, *exception: object) -> None:
        self.client.close()
        self._process.kill()
        self._process.communicate()

    def underflows(self) -> int:
        return int(self.client.request("status")["health"]["underflows"])

    def time_import(self, path: Path, corner: str) -> float:
        """Seconds from the request to the corner's new instrument. Raises TetradError when it fails."""
        began_s = time.perf_counter()
        number = self.client.request("instrument_import", paths=[str(path)], corner=corner)["number"]
        while True:
            try:
                notice, data = self._notices.get(timeout=LIMIT_S)
            except queue.Empty:
                raise TetradError(f"the engine said nothing for {LIMIT_S:g} s; an import was expected") from None
            if notice == "corner_changed" and data["corner"] == corner:
                return time.perf_counter() - began_s
            if notice == "import_changed" and data["number"] == number and data["state"] == "failed":
                raise TetradError(data["words"])


def _write(folder: Path, notes: Sequence[SourceNote]) -> Path:
    """Recordings as files whose names tell the key and the velocity; the file where there is one, else the folder."""
    folder.mkdir()
    for note in notes:
        path = folder / f"bench-{note.pitch:03}-{note.velocity:03}.wav"
        with open_wav(path, SAMPLE_RATE_HZ) as wav:
            wav.write(np.repeat(np.clip(note.audio, -1.0, 1.0)[:, None], 2, axis=1))
    return path if len(notes) == 1 else folder
