"""One preset of a sound font, played by FluidSynth in a process of its own.

FluidSynth is C, and reads files from strangers: where one of them brings it down, hangs it or eats memory, only this
process is lost. It reads `KEY VELOCITY` lines and answers each with the number of frames (uint32, little-endian) and
that many stereo frames of float32 at 48 kHz; 0 frames: this note has no sound.
"""

from __future__ import annotations

import os
import select
import struct
import subprocess
import sys
import weakref
from ctypes import c_int, c_void_p
from pathlib import Path
from typing import IO

import numpy as np

from synth.errors import TetradError
from synth.frames import Float32Array
from synth.instruments.notes import RawAudio

RATE_HZ = 48_000
HELD_S = 3.0
"""How long each key is held: as in NSynth's set and ours."""
LONGEST_RELEASE_S = 2.0
_STEP = 96 * 64
"""Frames of release between looks at the voices, 128 ms. FluidSynth starts notes at blocks of 64 frames, and HELD_S is
a multiple of one too: a note must not begin in the middle of a block, late by what the last one left of it."""
LONGEST_WAIT_S = 20.0
"""For one note, the start and the loading of its samples with it; 0.3 s are usual."""
_LONGEST_END_S = 2.0
"""After its lines' end; 0.2 s were too few on a machine with 7 other busy processes."""
_MOST_BYTES = 2 << 30
_MOST_CPU_S = 120
_NO_LIBRARY, _NO_FONT = 3, 4
"""Exit states of the process."""
_REASONS = {
    _NO_LIBRARY: "FluidSynth is missing; install the package libfluidsynth3 of your system",
    _NO_FONT: "FluidSynth can't load it; expected a whole sound font (SF2 or SF3)",
}


class PresetPlayer:
    """A preset whose notes can be asked for; its process starts with the first one and ends with this object."""

    def __init__(self, path: Path, bank: int, program: int) -> None:
        self._path = path
        self._arguments = [str(path.resolve()), str(bank), str(program)]
        self._process: subprocess.Popen[bytes] | None = None

    def render(self, key: int, velocity: int) -> RawAudio:
        """The note, held for HELD_S: float32 [N, 2] at 48 kHz. Raises TetradError where the preset can't be played."""
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(f"{key} {velocity}\n".encode())
            process.stdin.flush()
            n_frames = struct.unpack("<I", self._read(process.stdout, 4))[0]
            if n_frames > (HELD_S + LONGEST_RELEASE_S) * RATE_HZ:
                raise EOFError(f"{n_frames} frames")
            data = self._read(process.stdout, 8 * n_frames)
        except (OSError, EOFError, TimeoutError) as error:
            self.close()
            why = _REASONS.get(process.returncode) or f"FluidSynth gave up on its note {key} ({error or 'it crashed'})"
            raise TetradError(f"{self._path}: {why}") from error
        if n_frames == 0:
            raise TetradError(f"{self._path}: its note {key} at velocity {velocity} is silent; it is left out")
        return RawAudio(np.frombuffer(data, "<f4").reshape(-1, 2).astype(np.float32), RATE_HZ)

    def close(self) -> None:
        """Ends the process, if one runs; the next note starts another."""
        if self._process is not None:
            _end(self._process)
            self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            command = [sys.executable, "-m", "synth.instruments.soundfont_renderer", *self._arguments]
            # One process with one font; threads of a linear algebra library would only take memory.
            environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
            )
            weakref.finalize(self, _end, self._process)
        return self._process

    def _read(self, pipe: IO[bytes], size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            if not select.select([pipe], [], [], LONGEST_WAIT_S)[0]:
                raise TimeoutError(f"no answer within {LONGEST_WAIT_S:.0f} s")
            part = os.read(pipe.fileno(), size - len(parts))
            if not part:
                raise EOFError("it crashed")
            parts += part
        return bytes(parts)


def _end(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:  # what was still to be written: its reader is gone, and that is what we want
                continue
    try:
        process.wait(_LONGEST_END_S)  # one that waits for a line sees the end of its lines, and leaves
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _limit_resources() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_CPU_S, _MOST_CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(arguments: list[str]) -> int:
    path, bank, program = arguments[0], int(arguments[1]), int(arguments[2])
    _limit_resources()
    # Whatever C prints must not mix with the sound.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        import fluidsynth
    except ImportError:
        return _NO_LIBRARY
    settings = {
        "synth.reverb.active": 0,
        "synth.chorus.active": 0,
        "synth.dynamic-sample-loading": 1,  # the preset's samples alone: 10 ms instead of the whole font
        "synth.polyphony": 64,
    }
    synth = fluidsynth.Synth(gain=1.0, samplerate=float(RATE_HZ), channels=16, **settings)
    font = synth.sfload(path)
    if font < 0 or synth.program_select(0, font, bank, program) != 0:
        return _NO_FONT
    # The wrapper's own get_samples rounds to 16 bits, undithered; soft layers would lie 40 dB above that.
    write = fluidsynth.cfunc(
        "fluid_synth_write_float", c_int, ("synth", c_void_p, 1), ("len", c_int, 1), ("lout", c_void_p, 1),
        ("loff", c_int, 1), ("lincr", c_int, 1), ("rout", c_void_p, 1), ("roff", c_int, 1), ("rincr", c_int, 1),
    )  # fmt: skip

    def play(n_frames: int) -> Float32Array:
        frames = np.zeros((n_frames, 2), np.float32)
        write(synth.synth, n_frames, frames.ctypes.data, 0, 2, frames.ctypes.data, 1, 2)
        return frames

    for line in sys.stdin.buffer:
        key, velocity = (int(word) for word in line.split())
        synth.noteon(0, key, velocity)
        parts = [play(int(HELD_S * RATE_HZ))]
        synth.noteoff(0, key)
        for _ in range(int(LONGEST_RELEASE_S * RATE_HZ) // _STEP):
            if fluidsynth.fluid_synth_get_active_voice_count(synth.synth) == 0:
                break
            parts.append(play(_STEP))
        fluidsynth.fluid_synth_all_sounds_off(synth.synth, 0)
        play(2 * _STEP)  # what was cut off must not sound in the next note
        audio = np.concatenate(parts)
        if not np.any(np.abs(audio) > 1e-5):
            audio = audio[:0]
        answers.write(struct.pack("<I", len(audio)) + audio.astype("<f4").tobytes())
        answers.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
