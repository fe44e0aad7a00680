"""What a pad costs: writing and loading one of the original's size, and 64 notes of it, finger still and moving.

9 by 9 cells of 15 pitches of 4 s at 48 kHz, noise with loops and releases, in a temporary folder (467 MB). Times are of
this process's processor, so that other programs do not count.

    python -m benchmarks.pads
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from synth.control.events import NoteOn, SetParameter
from synth.frames import HOP, SAMPLE_RATE_HZ
from synth.pads.loaded_pad import LoadedPad, load_pad
from synth.pads.pad_engine import PadEngine
from synth.pads.pad_file import Pad, PadWriter
from synth.pads.pad_header import PadSpec

N_VOICES = 64
ROW_SAMPLES = 4 * SAMPLE_RATE_HZ
SPEC = PadSpec(
    name="benchmark",
    corners=("a", "b", "c", "d"),
    pitches=tuple(range(24, 84, 4)),
    resolution=9,
    sample_rate_hz=SAMPLE_RATE_HZ,
    row_samples=ROW_SAMPLES,
    velocity=100,
)


def write(path: Path) -> Path:
    """The benchmark's pad: every row begins elsewhere in one noise."""
    noise = np.random.default_rng(0).normal(0.0, 3000.0, ROW_SAMPLES + SPEC.n_rows).astype(np.int16)
    with PadWriter(path, SPEC) as writer:
        for i, place in enumerate(writer.missing()):
            row = noise[i : i + ROW_SAMPLES]
            writer.write(*place, row, loop=(ROW_SAMPLES // 4, ROW_SAMPLES // 2), release_start=3 * ROW_SAMPLES // 4)
        return writer.finish()


def shares(pad: LoadedPad, seconds: int) -> Iterator[tuple[str, float]]:
    """Of a core that 64 notes take: ("still" or "moving", share); in turns, three times."""
    engine = PadEngine(pad, n_voices=N_VOICES)
    for voice in range(N_VOICES):
        engine.push(NoteOn(0, voice % 16, 30 + voice % 60, 100))
    engine.render(SAMPLE_RATE_HZ // 10)
    for _ in range(3):
        for name, moving in (("still", 0.0), ("moving", 1.0)):
            now, n = engine.clock_samples, seconds * SAMPLE_RATE_HZ
            for i in range(0, n, HOP):
                # Still: between four cells, which is the dearest place.
                engine.push(SetParameter(now + i, "x", 0.45 + 0.4 * moving * np.sin(i / 20_000)))
                engine.push(SetParameter(now + i, "y", 0.55 + 0.4 * moving * np.cos(i / 31_000)))
            began_s = time.process_time()
            engine.render(n)
            yield name, (time.process_time() - began_s) / seconds


def timed(work: Callable[[], object]) -> float:
    """Processor seconds."""
    began_s = time.process_time()
    work()
    return time.process_time() - began_s


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=2, help="of sound a turn (default %(default)s)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "benchmark.tetrad-pad"
        written_s = timed(lambda: write(path))
        load_pad(Pad.open(path))  # the compilers' time is not the pad's
        loaded: list[LoadedPad] = []
        loaded_s = timed(lambda: loaded.append(load_pad(Pad.open(path))))
        found = list(shares(loaded[0], args.seconds))
    result = {
        "megabytes": SPEC.n_bytes / 1e6,
        "write_cpu_s": written_s,
        "load_cpu_s": loaded_s,
        **{
            f"{name}_share": float(np.median([share for n, share in found if n == name]))
            for name in ("still", "moving")
        },
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
