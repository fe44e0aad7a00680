"""An hour of random playing through a real stream: is what is recorded the offline rendering, sample for sample?

A JACK server of our own (`jackd -S`, dummy card: late clients stretch its time, nothing is lost) runs freely, as
fast as the engine can; PortAudio plays on it and a JACK client records. The engine is told to wait for its frames, as
an offline rendering does. Beside it a second engine renders the same events without a stream, and what comes out is
compared block by block. Also measured: memory after the first minute and at the end, and the time that a block
of silence takes at the beginning and at the end (denormal numbers would slow it down).

    python -m benchmarks.soak --seconds 3600 --json
"""

import argparse
import json
import os
import queue
import sys
import time
from pathlib import Path
from typing import Any

import jack
import numpy as np

from benchmarks.jack_server import jack_server
from synth.control.events import Event
from synth.control.midi_map import MidiMap
from synth.frames import SAMPLE_RATE_HZ, Float32Array
from synth.io.audio import AudioOutput, choose_output
from synth.live import LiveEngine, SampleAt
from synth.performance import DEFAULT_CORNERS, make_engine
from synth.voices.engine import Engine

BLOCK = 128
CHUNK = 375 * BLOCK  # a second
MEASURED_PAGES_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


class RandomPlaying:
    """Two hands, a finger, a pedal and a wheel, from a seed. A Performance: every second of it is made when it is
    due. Every tenth minute is silent, so that the sound dies away to nothing."""

    def __init__(self, seed: int, first_sample: int, seconds: int) -> None:
        self._random = np.random.default_rng(seed)
        self._midi = MidiMap()
        self._first = first_sample
        self._seconds = seconds
        self._next_second = 0
        self.n_notes = 0

    def events(self, horizon_samples: int, sample_at: SampleAt | None = None) -> list[Event]:
        del sample_at
        due: list[Event] = []
        while self._next_second < self._seconds and self._at(self._next_second) < horizon_samples:
            due += self._second(self._next_second)
            self._next_second += 1
        return due

    def _at(self, second: float) -> int:
        return self._first + round(second * SAMPLE_RATE_HZ)

    def _second(self, second: int) -> list[Event]:
        random = self._random
        messages: list[tuple[float, bytes]] = []
        if second % 600 >= 540 or second >= self._seconds - 8:
            messages = [(0.0, bytes([0xB0 | channel, controller, 0])) for channel in (0, 1) for controller in (64, 123)]
        else:
            for _ in range(int(random.integers(0, 9))):
                channel, key = int(random.integers(0, 2)), int(random.integers(30, 96))
                start, held = random.random(), float(random.exponential(0.7))
                messages.append((start, bytes([0x90 | channel, key, int(random.integers(1, 128))])))
                messages.append((start + held, bytes([0x80 | channel, key, 0])))
                self.n_notes += 1
            for controller, share in (
                (16, 0.6),
                (17, 0.6),
                (1, 0.2),
                (64, 0.2),
                (74, 0.1),
                (72, 0.05),
                (10, 0.1),
                (91, 0.02),
                (93, 0.02),
                (95, 0.02),
            ):
                if random.random() < share:
                    value = int(random.integers(0, 128))
                    messages += [(random.random(), bytes([0xB0, controller, value])) for _ in range(3)]
            if random.random() < 0.2:
                messages.append((random.random(), bytes([0xE0, 0, int(random.integers(0, 128))])))
        messages.sort(key=lambda message: message[0])
        return [event for at, data in messages for event in self._midi.events(data, self._at(second + at))]


class StreamRecorder:
    """A JACK client whose process callback puts every block into a queue, and waits while two seconds lie there: what
    the comparison has not taken yet would be measured as the engine's memory."""

    def __init__(self, server: str) -> None:
        self.blocks: queue.Queue[Float32Array] = queue.Queue(2 * CHUNK // BLOCK)
        self.client = jack.Client("soak", servername=server, no_start_server=True)
        self._inputs = [self.client.inports.register(f"in_{channel}") for channel in range(2)]
        self.client.set_process_callback(self._process)
        self.client.activate()

    def connect(self) -> None:
        """Records PortAudio's first two outputs."""
        ports = [p for p in self.client.get_ports(is_audio=True, is_output=True) if not p.name.startswith("system")]
        for source, target in zip(ports[:2], self._inputs, strict=True):
            self.client.connect(source, target)

    def _process(self, _frames: int) -> None:
        self.blocks.put(np.stack([port.get_array() for port in self._inputs], axis=1))


def resident_mb() -> float:
    """Memory of this process that is in use."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * MEASURED_PAGES_MB


class Comparison:
    """Renders the same events offline and holds the recording against them."""

    def __init__(self, engine: Engine, playing: RandomPlaying) -> None:
        self._engine = engine
        self._playing = playing
        self._offset: int | None = None
        self.n_samples = 0
        self.n_different = 0
        self.largest_difference = 0.0

    def feed(self, recorded: Float32Array) -> None:
        """The next piece of the recording. What lies before the first note is silence in both, of unlike length."""
        if self._offset is None:
            loud = np.flatnonzero(np.any(recorded != 0.0, axis=1))
            if loud.size == 0:
                return
            expected = self._render(CHUNK)
            while not expected.any():
                expected = self._render(CHUNK)
            self._offset = int(np.flatnonzero(np.any(expected != 0.0, axis=1))[0])
            recorded = recorded[loud[0] :]
            self._left = expected[self._offset :]
        while recorded.shape[0]:
            if self._left.shape[0] == 0:
                self._left = self._render(CHUNK)
            n = min(recorded.shape[0], self._left.shape[0])
            difference = np.abs(recorded[:n] - self._left[:n])
            self.n_samples += n
            self.n_different += int(np.count_nonzero(difference.max(axis=1)))
            self.largest_difference = max(self.largest_difference, float(difference.max()))
            recorded, self._left = recorded[n:], self._left[n:]

    def _render(self, n: int) -> Float32Array:
        out = []
        for _ in range(n // BLOCK):
            for event in self._playing.events(self._engine.clock_samples + BLOCK):
                self._engine.push(event)
            out.append(self._engine.render(BLOCK))
        return np.concatenate(out)


def soak(seconds: int, seed: int, n_voices: int) -> dict[str, Any]:
    """Play, record and compare `seconds` of sound. Keys as printed."""
    first_note = 2 * SAMPLE_RATE_HZ
    with jack_server(BLOCK, synchronous=True) as server:
        engine = make_engine(DEFAULT_CORNERS, n_voices=n_voices)
        playing = RandomPlaying(seed, first_note, seconds)
        comparison = Comparison(
            make_engine(DEFAULT_CORNERS, n_voices=n_voices), RandomPlaying(seed, first_note, seconds)
        )
        recorder = StreamRecorder(server)
        device = choose_output("JACK", SAMPLE_RATE_HZ)
        if device is None:
            raise SystemExit("no JACK output; start no other server, and install libportaudio2")
        memory_mb: list[tuple[float, float]] = []
        began_s = time.perf_counter()
        live = LiveEngine(engine, playing, in_step=True)
        with live, AudioOutput(device, live.source, sample_rate_hz=SAMPLE_RATE_HZ):
            recorder.connect()
            recorder.client.set_freewheel(True)
            while comparison.n_samples < seconds * SAMPLE_RATE_HZ:
                if live.failure is not None:
                    raise live.failure
                pieces = [recorder.blocks.get(timeout=120.0) for _ in range(CHUNK // BLOCK)]
                comparison.feed(np.concatenate(pieces))
                played_s = comparison.n_samples / SAMPLE_RATE_HZ
                if not memory_mb or played_s > memory_mb[-1][0] + 10.0:
                    memory_mb.append((played_s, resident_mb()))
                    print(f"\r{played_s:6.0f} s, {comparison.n_different} samples differ", end="", file=sys.stderr)
            recorder.client.set_freewheel(False)
            took_s = time.perf_counter() - began_s
        recorder.client.deactivate()
        recorder.client.close()
    print(file=sys.stderr)
    after_minute = next((mb for at, mb in memory_mb if at >= 60.0), memory_mb[0][1])
    status = engine.status()
    return {
        "seconds": comparison.n_samples / SAMPLE_RATE_HZ,
        "notes": playing.n_notes,
        "different_samples": comparison.n_different,
        "largest_difference": comparison.largest_difference,
        "late_frames": status["late_frames"],
        "memory_after_a_minute_mb": after_minute,
        "memory_growth_mb": memory_mb[-1][1] - after_minute,
        "times_real_time": comparison.n_samples / SAMPLE_RATE_HZ / took_s,
        **silence_cost(engine),
    }


def silence_cost(engine: Engine) -> dict[str, float]:
    """Median µs of a block in silence, on an engine that has just begun and on one that has played."""
    out = np.empty((BLOCK, 2), np.float32)
    fresh = make_engine(DEFAULT_CORNERS, n_voices=64)
    found = {}
    for name, one in (("fresh", fresh), ("after", engine)):
        times = []
        for _ in range(2000):
            one.advance(one.clock_samples + BLOCK)
            began_ns = time.perf_counter_ns()
            one.render_into(out)
            times.append(time.perf_counter_ns() - began_ns)
        found[f"silent_block_{name}_us"] = float(np.median(times)) / 1000.0
    return found


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--voices", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    result = soak(args.seconds, args.seed, args.voices)
    if args.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:26} {value:,.6g}")
    raise SystemExit(result["different_samples"] > 0)


if __name__ == "__main__":
    main()
