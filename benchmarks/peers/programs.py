"""What is measured of whole programs, not of their engines alone: start, the running engine's memory, an import."""

import os
import socket
import statistics
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.peers.child import memory_mb
from benchmarks.peers.fluidsynth import FONT
from benchmarks.peers.peer import PeerError, notes
from benchmarks.real_engine import real_engine
from synth import bench_latency
from synth.bench import sustaining_corners
from synth.instruments.bench_engine_import import time_engine_imports
from synth.instruments.bench_import import rendered_recordings
from synth.instruments.library import Library
from synth.paths import shipped_instruments_dir
from synth.voices.decoder import Decoder

_LONGEST_START_S = 20.0


def one_note_score() -> bytes:
    """The shortest standard MIDI file with a note: 10 ms of key 60."""
    track = bytes([0, 0x90, 60, 100, 10, 0x80, 60, 0, 0, 0xFF, 0x2F, 0])
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(">I", len(track)) + track


def tetrad_start_s() -> float:
    """`tetrad play --headless` to the first sample."""
    return bench_latency.start_s()


def fluidsynth_start_s() -> float:
    """`fluidsynth` from its start to its end, with the font loaded and one short note rendered into a file."""
    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder) / "one.mid", Path(folder) / "one.wav"
        score.write_bytes(one_note_score())
        command = ["fluidsynth", "-n", "-i", "-q", "-r", "48000", "-F", str(sound), str(FONT), str(score)]
        began_s = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, timeout=_LONGEST_START_S)
        took_s = time.perf_counter() - began_s
        if sound.stat().st_size < 1000:
            raise PeerError(
                f"fluidsynth wrote {sound.stat().st_size} bytes; a note was expected; run {command[0]} alone."
            )
    return took_s


def zynaddsubfx_start_s() -> float:
    """`zynaddsubfx` without a window and a sound card, from its start until it answers by OSC."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.bind(("127.0.0.1", 0))
        asking.settimeout(0.002)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = ["zynaddsubfx", "-U", "-O", "NULL", "-I", "NULL", "-r", "48000", "-P", str(port)]
        began_s = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as program:
            try:
                while time.perf_counter() - began_s < _LONGEST_START_S:
                    try:
                        asking.sendto(b"/echo\0\0\0,\0\0\0", ("127.0.0.1", port))
                        asking.recv(64)
                    except (TimeoutError, ConnectionRefusedError):
                        continue
                    return time.perf_counter() - began_s
            finally:
                program.kill()
    raise PeerError(f"zynaddsubfx did not answer by OSC within {_LONGEST_START_S:g} s; run it alone to see why.")


def median_of(measure: Callable[[], float], n_times: int) -> float:
    """The median of several measurements; the first, which may compile or read from disk, is not counted."""
    return statistics.median([measure() for _ in range(n_times + 1)][1:])


def tetrad_memory_mb(n_voices: int) -> float:
    """Resident memory of a whole engine (`python -m synth`) that plays `n_voices` notes, MB."""
    with tempfile.TemporaryDirectory(prefix="tetrad-peers-") as home:
        before = set(_children())
        with real_engine(Path(home), "--audio", "null", "--no-refine") as client:
            for channel, key in notes(n_voices):
                client.send("note_on", key=key, velocity=100, channel=channel)
            client.wait_for(lambda status: status["voices"]["sounding"] == n_voices, 60.0)
            (engine,) = set(_children()) - before
            return memory_mb(engine)


def tetrad_import_s() -> float:
    """From asking for the import of one recording to its corner, in an engine that plays 32 voices meanwhile."""
    instrument = sustaining_corners(Library([shipped_instruments_dir()]))[0]
    return time_engine_imports(rendered_recordings(instrument, Decoder(), 2)).one_note_s


def _children() -> list[int]:
    pid = os.getpid()
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
