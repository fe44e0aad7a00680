"""Measure what the engine costs per block."""

import argparse
import contextlib
import gc
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from synth.command import add_json_argument, print_json
from synth.control.events import AllSoundOff, NoteOn, SetParameter
from synth.errors import TetradError
from synth.frames import SAMPLE_RATE_HZ, Float32Array, Float64Array
from synth.instruments.format import Instrument
from synth.instruments.library import Library
from synth.voices.conductor import FrameDecoder
from synth.voices.decoder import Decoder
from synth.voices.engine import Engine

VOICE_COUNTS = (1, 16, 32, 64)
BLOCK_SIZE = 128
LOWEST_KEY, HIGHEST_KEY = 36, 84
_SETTLE_S = 0.5


class _TimedDecoder:
    """A decoder that adds up the CPU time of its runs."""

    def __init__(self, decoder: FrameDecoder) -> None:
        self._decoder = decoder
        self.model_id = decoder.model_id
        self.spent_ns = 0

    def run(self, z_window: Float32Array, pitch: Float32Array, velocity: Float32Array) -> Float32Array:
        began = time.thread_time_ns()
        rows = self._decoder.run(z_window, pitch, velocity)
        self.spent_ns += time.thread_time_ns() - began
        return rows


def bench_engine(
    corners: Sequence[Instrument],
    decoder: FrameDecoder,
    voice_counts: Sequence[int] = VOICE_COUNTS,
    seconds: float = 10.0,
    block_size: int = BLOCK_SIZE,
    sample_rate_hz: int = SAMPLE_RATE_HZ,
) -> list[dict[str, Any]]:
    """Rows of `tetrad bench engine`, one per voice count.

    Held notes spread over keys 36 to 84, with onsets spread over a tick; x and y move with every block. A share is the
    CPU time of this thread for one block (control, decoding on one ONNX thread, audio) over the block's period, so
    another process that takes the core away does not count. Voices that tick together make blocks unequal, so the mean
    is what the engine costs. Keys: voices, block_size, sample_rate, median_share, mean_share, p999_share, worst_share,
    blocks_over (that took longer than their period), and the mean's parts decoder_share, control_share, audio_share.
    """
    timed = _TimedDecoder(decoder)
    rows = []
    for n_voices in voice_counts:
        engine = Engine(corners, timed, sample_rate_hz=sample_rate_hz, n_voices=n_voices)
        spread = np.linspace(LOWEST_KEY, HIGHEST_KEY, n_voices).round().astype(int)
        for i, key in enumerate(spread.tolist()):
            # Two notes of one key are on different channels, or the second would end the first.
            engine.push(NoteOn(i * 384 // n_voices, i % 16, key, 40 + 80 * i // n_voices))
        engine.render(int(_SETTLE_S * sample_rate_hz))
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            parts = _measure(engine, timed, int(seconds * sample_rate_hz / block_size), block_size)
        finally:
            gc.enable()
            gc.unfreeze()
        if engine.status()["voices"] != n_voices:
            found = engine.status()["voices"]
            raise TetradError(f"{found} of {n_voices} notes sounded to the end; choose instruments that sustain.")
        engine.push(AllSoundOff(engine.clock_samples))
        share = parts / (block_size / sample_rate_hz * 1e9)
        total = share.sum(axis=1)
        mean = np.mean(share, axis=0)
        rows.append(
            {
                "voices": n_voices,
                "block_size": block_size,
                "sample_rate": sample_rate_hz,
                "median_share": float(np.median(total)),
                "mean_share": float(np.mean(total)),
                "p999_share": float(np.percentile(total, 99.9)),
                "worst_share": float(np.max(total)),
                "blocks_over": int(np.count_nonzero(total > 1.0)),
                "decoder_share": float(mean[0]),
                "control_share": float(mean[1]),
                "audio_share": float(mean[2]),
            }
        )
    return rows


def _measure(engine: Engine, decoder: _TimedDecoder, n_blocks: int, block_size: int) -> Float64Array:
    """Nanoseconds of CPU per block: float64 [n_blocks, 3] for decoder, control, audio."""
    out = np.empty((block_size, 2), np.float32)
    parts = np.zeros((n_blocks, 3))
    for block in range(n_blocks):
        now = engine.clock_samples
        engine.push(SetParameter(now, "x", 0.5 + 0.5 * float(np.sin(0.010 * block))))
        engine.push(SetParameter(now, "y", 0.5 + 0.5 * float(np.cos(0.013 * block))))
        decoder.spent_ns = 0
        began = time.thread_time_ns()
        engine.advance(now + block_size)
        controlled = time.thread_time_ns()
        engine.render_into(out)
        done = time.thread_time_ns()
        parts[block] = decoder.spent_ns, controlled - began - decoder.spent_ns, done - controlled
    return parts


@contextlib.contextmanager
def busy_neighbour() -> Iterator[subprocess.Popen[bytes]]:
    """A Python process that never rests, as a screen that hangs would be one, for as long as the context lasts."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def sustaining_corners(library: Library) -> list[Instrument]:
    """Four shipped instruments that hold their notes, of different families where there are enough."""
    names = library.names()
    if not names:
        raise TetradError(
            "There is no instrument to play; expected shipped ones; make some with `tetrad instruments add`."
        )
    loaded = [instrument for instrument in map(library.load, names) if instrument.sustains] or [library.load(names[0])]
    by_family = list({instrument.family: instrument for instrument in loaded}.values())
    chosen = [*by_family, *loaded]
    return [chosen[i % len(chosen)] for i in range(4)]


class BenchEngineCommand:
    """`tetrad bench engine`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--voices", type=int, nargs="+", default=list(VOICE_COUNTS), help="numbers of notes to hold"
        )
        parser.add_argument("--seconds", type=float, default=10.0, help="sound to render for each number (default 10)")
        parser.add_argument("--block-size", type=int, default=BLOCK_SIZE, help="samples per block (default 128)")
        parser.add_argument(
            "--corners", nargs=4, metavar="NAME", help="instruments; default: shipped ones that sustain"
        )
        parser.add_argument("--busy", action="store_true", help="beside a Python process that never rests")
        add_json_argument(parser)

    def run(self, args: argparse.Namespace) -> int:
        if not args.seconds > 0.0 or args.block_size < 1:
            raise TetradError("--seconds and --block-size must be more than 0.")
        library = Library()
        corners = [library.load(name) for name in args.corners] if args.corners else sustaining_corners(library)
        with busy_neighbour() if args.busy else contextlib.nullcontext():
            rows = bench_engine(corners, Decoder(), args.voices, args.seconds, args.block_size)
        if args.json:
            print_json({"rows": rows, "corners": [corner.name for corner in corners]})
            return 0
        print(f"corners: {', '.join(corner.name for corner in corners)}; shares of one core's time per block")
        print("voices  median    mean   p99.9   worst  decoder control  audio  too long")
        for row in rows:
            shares = [row[f"{key}_share"] for key in ("median", "mean", "p999", "worst", "decoder", "control", "audio")]
            print(
                f"{row['voices']:6d} "
                + " ".join(f"{100.0 * share:6.1f}%" for share in shares)
                + f" {row['blocks_over']:6d}"
            )
        return 0
