"""What the pairs' paths cost a control tick: 64 voices, plain blending against warps, bends and alignment, in turns.

`python -m benchmarks.surface` prints JSON: for each way of blending the CPU time of a voice's tick in microseconds
(median over the rounds), the network's run apart, and how much dearer than `plain` it is (median of their ratios).
"""

import argparse
import json
import time

import numpy as np

from synth.bench import sustaining_corners
from synth.command import progress
from synth.control.corners import EDGE_CORNERS, Edge
from synth.control.events import NoteOn, SetParameter
from synth.frames import HOP, Float32Array
from synth.grid.pair_path import N_WARP, NotePath, PairPath, straight
from synth.instruments.format import Instrument
from synth.instruments.library import Library
from synth.paths import shipped_instruments_dir
from synth.voices.decoder import Decoder
from synth.voices.engine import Engine

N_VOICES = 64
PLAIN = "plain"


class TimedDecoder:
    """The decoder, and the CPU time of its runs."""

    def __init__(self) -> None:
        self._decoder = Decoder()
        self.model_id = self._decoder.model_id
        self.spent_ns = 0

    def run(self, z_window: Float32Array, pitch: Float32Array, velocity: Float32Array) -> Float32Array:
        began = time.thread_time_ns()
        rows = self._decoder.run(z_window, pitch, velocity)
        self.spent_ns += time.thread_time_ns() - began
        return rows


def paths(corners: list[Instrument], bent: bool) -> list[PairPath]:
    """For the four edges, at eight pitches each: warps, and bends if they are wanted."""
    generator = np.random.default_rng(0)
    made = []
    for one, other in ((corners[begin], corners[end]) for begin, end in (EDGE_CORNERS[edge] for edge in Edge)):
        first, second = sorted((one, other), key=lambda instrument: instrument.name)
        notes = []
        for pitch in range(36, 85, 7):
            warp = np.linspace(0.0, 1.0, N_WARP, dtype=np.float32) ** np.float32(generator.uniform(0.6, 1.7))
            bend = straight(pitch, 100).bend
            notes.append(NotePath(pitch, 100, warp, bend + np.float32(0.1) if bent else bend))
        made.append(PairPath(first.name, second.name, first.sound_id, second.sound_id, first.model_id, tuple(notes)))
    return made


def engines(decoder: TimedDecoder) -> dict[str, Engine]:
    """One engine for each way, all with the same 64 held notes."""
    corners = sustaining_corners(Library([shipped_instruments_dir()]))
    found = {}
    for name, evenness, ways in (
        (PLAIN, 0.0, []),
        ("aligned", 1.0, []),
        ("warped", 1.0, paths(corners, bent=False)),
        ("bent", 1.0, paths(corners, bent=True)),
    ):
        engine = found[name] = Engine(corners, decoder, n_voices=N_VOICES, paths=ways)
        engine.push(SetParameter(0, "evenness", evenness))
        for i, key in enumerate(np.linspace(36, 84, N_VOICES).round().astype(int).tolist()):
            engine.push(NoteOn(i * HOP // N_VOICES, i % 16, key, 100))
        engine.render(24_000)
    return found


def measure(engine: Engine, decoder: TimedDecoder, n_blocks: int) -> tuple[float, float]:
    """CPU time of a voice's tick in microseconds: all but the network, and with it. The finger moves all the time."""
    out = np.empty((HOP, 2), np.float32)
    control_ns = decoder.spent_ns = 0
    for block in range(n_blocks):
        now = engine.clock_samples
        engine.push(SetParameter(now, "x", 0.5 + 0.5 * float(np.sin(0.03 * block))))
        engine.push(SetParameter(now, "y", 0.5 + 0.5 * float(np.cos(0.04 * block))))
        began = time.thread_time_ns()
        engine.advance(now + HOP)
        control_ns += time.thread_time_ns() - began
        engine.render_into(out)
    ticks = n_blocks * N_VOICES * 1e3
    return (control_ns - decoder.spent_ns) / ticks, control_ns / ticks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="of all ways in turns (default %(default)s)")
    parser.add_argument("--blocks", type=int, default=100, help="of 8 ms in each turn (default %(default)s)")
    args = parser.parse_args()
    decoder = TimedDecoder()
    playing = engines(decoder)
    rounds = [
        {name: measure(engine, decoder, args.blocks) for name, engine in playing.items()}
        for _ in progress(range(args.rounds), description="rounds", unit="round")
    ]
    table = np.array([[found[name] for name in playing] for found in rounds])  # [rounds, ways, 2]
    ratio = np.median(table / table[:, :1], axis=0)
    report = {
        name: {
            "without_network_us": round(float(np.median(table[:, i, 0])), 2),
            "tick_us": round(float(np.median(table[:, i, 1])), 2),
            "dearer_without_network": round(float(ratio[i, 0]) - 1.0, 3),
            "dearer": round(float(ratio[i, 1]) - 1.0, 3),
        }
        for i, name in enumerate(playing)
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
