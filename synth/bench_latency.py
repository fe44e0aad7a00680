"""Measure how long it takes from a key, a touch or the start of the program to the sound."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np

from synth.command import add_json_argument, print_json
from synth.control.commands import make_command
from synth.control.events import AllSoundOff, Event, NoteOn, SetParameter
from synth.control.patch import Patch
from synth.control.patch_bank import PatchBank
from synth.errors import TetradError
from synth.frames import SAMPLE_RATE_HZ, Float32Array, Float64Array
from synth.instruments.library import Library
from synth.instruments.silence import silent_instrument
from synth.io.null_audio import NullOutput
from synth.io.recorder import Recorder
from synth.io.scheduling import refuse_huge_pages
from synth.live import LiveEngine, SampleAt
from synth.loader import InstrumentLoader
from synth.performance import DEFAULT_CORNERS
from synth.session import Session
from synth.stage import Stage
from synth.voices.decoder import Decoder
from synth.voices.engine import Engine
from synth.voices.prepared import PreparedInstrument

BLOCK = 128
STALL_S = 0.003
LONGEST_TRIAL_S = 60.0
ROUNDING = 1e-5
"""Blocks of other sizes may differ by 1e-6."""
HELD_KEYS = (45, 52, 57, 60, 64, 69, 72, 76)


class _Hand:
    """A Performance: what is put in comes out, at once or at the sample of its moment."""

    def __init__(self) -> None:
        self.at_once: deque[Event] = deque()
        self.at_moment: deque[tuple[float, int]] = deque()  # (time_s, key)

    def events(self, horizon_samples: int, sample_at: SampleAt) -> Sequence[Event]:
        del horizon_samples
        due: list[Event] = []
        while self.at_once:
            due.append(self.at_once.popleft())
        while self.at_moment:
            time_s, key = self.at_moment.popleft()
            due.append(NoteOn(sample_at(time_s), 0, key, 100))
        return due


class _Heard:
    """A stream that asks for blocks as a sound card does, and all that it got."""

    def __init__(self, live: LiveEngine) -> None:
        self._recorder = Recorder(SAMPLE_RATE_HZ, keep_s=LONGEST_TRIAL_S)
        self.stream = NullOutput(self._recorder.tap(live.source), sample_rate_hz=SAMPLE_RATE_HZ, block_size=BLOCK)

    def sound(self) -> Float32Array:
        return self._recorder.read(0, self._recorder.n_written)[0]


class LatencyBench:
    """The measures, with four shipped instruments."""

    def __init__(self) -> None:
        refuse_huge_pages()  # as `tetrad play` does
        library = Library()
        self._decoder = Decoder()
        self._corners = [PreparedInstrument(library.load(name)) for name in DEFAULT_CORNERS]
        self.stalled = 0
        Engine(self._corners, self._decoder)  # compiles what is not compiled yet

    def _engine(self) -> Engine:
        return Engine(self._corners, self._decoder, warm_up=False)

    def note_on_offline(self, n_trials: int) -> Float64Array:
        """Samples from a note-on's own sample to the first that sounds."""
        random = np.random.default_rng(1)
        engine = self._engine()
        delays = []
        for _ in range(n_trials):
            first = engine.clock_samples
            at = first + int(random.integers(0, 4000))
            engine.push(NoteOn(at, 0, 60, 100))
            sound = engine.render(5000)
            delays.append(first + int(np.flatnonzero(sound.any(axis=1))[0]) - at)
            engine.push(AllSoundOff(engine.clock_samples))
            engine.render(1000)
        return np.array(delays, np.float64)

    def note_on_live(self, n_trials: int) -> Float64Array:
        """Samples from the moment of a key to the first that sounds, of notes at random moments through a stream.

        `stalled` counts the trials in which the stream itself stood still for STALL_S: there the machine is measured.
        """
        random = np.random.default_rng(2)
        delays = []
        for _ in range(n_trials):
            hand = _Hand()
            live = LiveEngine(self._engine(), hand)
            heard = _Heard(live)
            with live, heard.stream:
                time.sleep(1.2 + random.random() * 0.01)  # the stream's clock has settled after a second
                moment_s = time.perf_counter()
                hand.at_moment.append((moment_s, 60))
                live.wake()
                due = live.now_samples(moment_s)
                time.sleep(0.1)
            first = np.flatnonzero(heard.sound().any(axis=1))
            delays.append(float(first[0]) - due)
            self.stalled += heard.stream.health().worst_late_s >= STALL_S
        return np.array(delays)

    def control(self, n_trials: int) -> Float64Array:
        """Ms of sound from a touch to the first sample of the sounding notes that is different for it, counted from the
        block that was rendered or about to be rendered at the touch."""
        random = np.random.default_rng(3)
        delays: list[float] = []
        notes = [NoteOn(i * 48, 0, key, 90) for i, key in enumerate(HELD_KEYS)]
        still = self._engine()
        for note in notes:
            still.push(note)
        expected = still.render(int(0.8 * SAMPLE_RATE_HZ))
        for _ in range(n_trials):
            hand = _Hand()
            hand.at_once.extend(notes)
            # In step: a frame that a busy machine is late with would be a difference, too.
            engine = self._engine()
            live = LiveEngine(engine, hand, in_step=True)
            heard = _Heard(live)
            with live, heard.stream:
                time.sleep(0.4 + random.random() * 0.05)
                moment = engine.clock_samples
                hand.at_once.append(SetParameter(0, "x", 1.0))
                live.wake()
                time.sleep(0.1)
            sound = heard.sound()
            n = min(len(sound), len(expected))
            differs = np.flatnonzero((np.abs(sound[:n] - expected[:n]) > ROUNDING).any(axis=1))
            delays.append((float(differs[0]) - moment) / SAMPLE_RATE_HZ * 1000.0)
        return np.array(delays)


def patch_ms() -> Float64Array:
    """Ms from the command that loads a patch until the engine has all of it, for every patch of the bank."""
    decoder = Decoder()
    engine = Engine([silent_instrument(decoder.model_id)] * 4, decoder, warm_up=False)
    with tempfile.TemporaryDirectory() as folder:
        bank = PatchBank(Path(folder))
        loader = InstrumentLoader(Library(), engine.prepare)
        session = Session(engine, Stage(SAMPLE_RATE_HZ), loader, bank, patch=Patch())
        session.begin()
        loader.load_ahead(loader.library.names()).result()
        took = []
        for entry in bank.entries():
            began_s = time.perf_counter()
            result = session.handle(make_command("patch_load", name=entry.name))
            if isinstance(result, Future):
                result.result()
            took.append((time.perf_counter() - began_s) * 1000.0)
            session.stage.events(engine.clock_samples, lambda *_: 0)
        session.close()
    return np.array(took)


def start_s() -> float:
    """Seconds from starting `tetrad play --headless --audio null` until it plays."""
    command = [sys.executable, "-m", "synth.cli", "play", "--headless", "--audio", "null", "--seconds", "0.05"]
    began_s = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as program:
        assert program.stdout is not None
        for line in program.stdout:
            if line.startswith("Playing"):
                took_s = time.perf_counter() - began_s
                program.stdout.read()
                return took_s
    raise TetradError("tetrad play did not start; see what `tetrad play --headless --audio null --debug` says")


class BenchLatencyCommand:
    """`tetrad bench latency`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--trials", type=int, default=40, metavar="N", help="of each kind (default %(default)s)")
        add_json_argument(parser)

    def run(self, args: argparse.Namespace) -> int:
        if args.trials < 1:
            raise TetradError(f"--trials is {args.trials}; 1 or more was expected; give another number")
        bench = LatencyBench()
        offline, live, control = (
            measure(args.trials) for measure in (bench.note_on_offline, bench.note_on_live, bench.control)
        )
        patches = patch_ms()
        starts = [start_s() for _ in range(4)][1:]  # the first one may compile
        result: dict[str, Any] = {
            "note_on_samples": {"constant": float(np.median(offline)), "jitter": float(np.ptp(offline))},
            "note_on_live_ms": {
                "stalled_trials": bench.stalled,
                "median": float(np.median(live)) / SAMPLE_RATE_HZ * 1000.0,
                "jitter_median": float(np.median(np.abs(live - np.median(live)))) / SAMPLE_RATE_HZ * 1000.0,
                "jitter_p95": float(np.percentile(np.abs(live - np.median(live)), 95)) / SAMPLE_RATE_HZ * 1000.0,
                "worst": float(np.abs(live - np.median(live)).max()) / SAMPLE_RATE_HZ * 1000.0,
            },
            "control_ms": {
                "median": float(np.median(control)),
                "p95": float(np.percentile(control, 95)),
                "worst": float(control.max()),
            },
            "patch_ms": {"median": float(np.median(patches)), "worst": float(patches.max())},
            "start_s": float(np.median(starts)),
            "block_size": BLOCK,
        }
        if args.json:
            print_json(result)
            return 0
        note, through = result["note_on_samples"], result["note_on_live_ms"]
        print(f"note-on, rendering: {note['constant']:g} samples, jitter {note['jitter']:g}")
        print(
            f"note-on, through a stream of {BLOCK}-sample blocks: {through['median']:.1f} ms, "
            f"off by {through['jitter_median']:.2f} ms in the median, {through['worst']:.2f} at worst "
            f"({through['stalled_trials']} trials with a stream that stood still)"
        )
        print("touch to sounding notes: " + ", ".join(f"{k} {v:.1f} ms" for k, v in result["control_ms"].items()))
        print("a patch is loaded in: " + ", ".join(f"{k} {v:.1f} ms" for k, v in result["patch_ms"].items()))
        print(f"start to the first sample: {result['start_s']:.2f} s")
        return 0
