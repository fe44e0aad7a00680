"""Blocks that a JACK server loses with the engine, against a trivial callback in the same minutes.

An asynchronous server of our own with a dummy card behaves like hardware: a late client loses its block. A stream
with a callback that only fills zeros, and one with the whole engine and its conductor, take turns on it; what the
machine itself loses, both lose.

    python -m benchmarks.streams --voices 64 --period 128
    python -m benchmarks.streams --voices 200 --period 256

With `--recording` the engine is a process of its own, and what takes turns is playing alone and playing while a sung
note is recorded from the same server and imported into a corner, by the engine's own commands:

    python -m benchmarks.streams --voices 32 --period 256 --recording
"""

import argparse
import contextlib
import json
import queue
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.jack_server import jack_server
from benchmarks.real_engine import real_engine
from synth.bench import sustaining_corners
from synth.control.events import Event, NoteOn, SetParameter
from synth.frames import SAMPLE_RATE_HZ
from synth.instruments.library import Library
from synth.io.audio import AudioOutput, choose_output
from synth.io.client import Client
from synth.io.scheduling import lock_memory, refuse_huge_pages
from synth.jit import cfunc
from synth.live import LiveEngine, SampleAt
from synth.native import SOURCE, Source, stereo_view
from synth.voices.decoder import Decoder
from synth.voices.engine import Engine
from tests.synth.instruments.singer import Singer, song, sung

SETTLE_S = 1.0
LIMIT_S = 120.0
SUNG_S = 2.0


@cfunc(SOURCE)
def _silence(_data, out_at, n_samples, _time_ns, _frame):  # type: ignore[no-untyped-def]
    stereo_view(out_at, n_samples)[:] = np.float32(0.0)


class Held:
    """A Performance: notes that are held, and a finger that never rests."""

    def __init__(self, n_voices: int) -> None:
        keys = np.linspace(36, 84, n_voices).round().astype(int).tolist()
        self._events: list[Event] = [
            NoteOn(i * 384 // n_voices, i % 16, key, 40 + 80 * i // n_voices) for i, key in enumerate(keys)
        ]
        self._next = 0

    def events(self, horizon_samples: int, sample_at: SampleAt) -> Sequence[Event]:
        del sample_at
        due, self._events = self._events, []
        while self._next < horizon_samples:
            at_s = self._next / SAMPLE_RATE_HZ
            due.append(SetParameter(self._next, "x", 0.5 + 0.5 * float(np.sin(4.0 * at_s))))
            due.append(SetParameter(self._next, "y", 0.5 + 0.5 * float(np.cos(5.0 * at_s))))
            self._next += 384
        return due


def play(live: LiveEngine | None, seconds: float) -> dict[str, float]:
    """A stream of some seconds: blocks, blocks lost, the median block's share of its time."""
    device = choose_output("JACK", SAMPLE_RATE_HZ)
    if device is None:
        raise SystemExit("no JACK output; install jackd2")
    source = Source(_silence.address, 0, _silence) if live is None else live.source
    with contextlib.ExitStack() as stack:
        if live is not None:
            stack.enter_context(live)
        output = stack.enter_context(AudioOutput(device, source, sample_rate_hz=SAMPLE_RATE_HZ))
        time.sleep(SETTLE_S)
        before = output.health()
        time.sleep(seconds)
        after = output.health()
    shares = output.recent_shares()
    return {
        "blocks": after.blocks - before.blocks,
        "lost": after.underflows - before.underflows,
        "median_share": float(np.median(shares)),
    }


def compare(n_voices: int, period: int, seconds: float, turns: int) -> dict[str, Any]:
    """Both streams, taking turns."""
    corners = sustaining_corners(Library())
    decoder = Decoder()
    found: dict[str, list[dict[str, float]]] = {"trivial": [], "engine": []}
    late = 0
    with jack_server(period, synchronous=False):
        for _ in range(turns):
            found["trivial"].append(play(None, seconds))
            engine = Engine(corners, decoder, n_voices=n_voices)
            found["engine"].append(play(LiveEngine(engine, Held(n_voices)), seconds))
            status = engine.status()
            late += status["late_frames"]
            if status["voices"] != n_voices:
                raise SystemExit(f"{status['voices']} of {n_voices} notes sounded to the end")
    return {
        "voices": n_voices,
        "period": period,
        "blocks": int(sum(turn["blocks"] for turn in found["engine"])),
        "lost_trivial": int(sum(turn["lost"] for turn in found["trivial"])),
        "lost_engine": int(sum(turn["lost"] for turn in found["engine"])),
        "callback_median_share": float(np.median([turn["median_share"] for turn in found["engine"]])),
        "late_frames": late,
        "frames": round(turns * (seconds + SETTLE_S) * 125 * n_voices),
    }


class Window(NamedTuple):
    """Of an engine's life: seconds, blocks that came too late, and the fewest voices that its governor allowed."""

    seconds: float
    lost: int
    fewest_voices: int


class Watch:
    """Strikes the keys anew and looks at an engine while something goes on."""

    def __init__(self, client: Client, n_voices: int) -> None:
        self._client = client
        self._keys = np.linspace(36, 84, n_voices).round().astype(int).tolist()

    @contextlib.contextmanager
    def window(self, found: list[Window]) -> Iterator[None]:
        self._client.send("panic")
        for n, key in enumerate(self._keys):
            self._client.send("note_on", key=key, velocity=80, channel=n % 16)
        time.sleep(SETTLE_S)
        limits: list[int] = []
        over = threading.Event()

        def look() -> None:
            while not over.wait(0.1):
                limits.append(self._client.status["voices"]["limit"])

        looking = threading.Thread(target=look)
        before, began_s = self._lost(), time.monotonic()
        looking.start()
        try:
            yield
        finally:
            over.set()
            looking.join()
        found.append(Window(time.monotonic() - began_s, self._lost() - before, min(limits)))

    def _lost(self) -> int:
        return int(self._client.request("status")["health"]["underflows"])


def compare_recording(n_voices: int, period: int, seconds: float, turns: int) -> dict[str, Any]:
    """Playing alone, then while a note is recorded and while it is imported, in turns."""
    corners: queue.Queue[str] = queue.Queue()
    found: dict[str, list[Window]] = {"alone": [], "recording": [], "importing": []}

    def on_notice(name: str, data: Any) -> None:
        if name == "corner_changed" and data["corner"] == "se":
            corners.put("se")
        if name == "import_changed" and data["state"] == "failed":
            corners.put(data["words"])

    with (
        jack_server(period, synchronous=False) as server,
        tempfile.TemporaryDirectory(prefix="tetrad-") as home,
        contextlib.closing(Singer(server)) as singer,
        real_engine(Path(home), "--voices", str(n_voices), on_notice=on_notice) as client,
    ):
        watch = Watch(client, n_voices)
        client.wait_for(lambda status: "voices" in status, LIMIT_S)
        for turn in range(turns):
            with watch.window(found["alone"]):
                time.sleep(seconds)
            with watch.window(found["recording"]):
                client.request("record_input_start", device="jack", notes=1, timeout_s=LIMIT_S)
                singer.sing_later(song(sung(53.0 + turn, SUNG_S)))
                client.wait_for(lambda status: status["input"]["state"] == "ready", LIMIT_S)
            with watch.window(found["importing"]):
                client.request("record_input_stop", name=f"turn-{turn}", corner="se", timeout_s=LIMIT_S)
                said = corners.get(timeout=LIMIT_S)
            if said != "se":
                raise SystemExit(said)
    return {"voices": n_voices, "period": period, "turns": turns} | {
        name: {
            "blocks": round(sum(window.seconds for window in windows) * SAMPLE_RATE_HZ / period),
            "lost": [window.lost for window in windows],
            "fewest_voices": [window.fewest_voices for window in windows],
        }
        for name, windows in found.items()
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--voices", type=int, default=64)
    parser.add_argument("--period", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each turn (default %(default)s)")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--recording", action="store_true", help="the engine with and without a recording")
    parser.add_argument(
        "--huge-pages",
        action="store_true",
        help="leave them on, and memory unlocked; `tetrad play` switches them off and locks it",
    )
    args = parser.parse_args()
    if not args.huge_pages:
        refuse_huge_pages()
        lock_memory()
    what = compare_recording if args.recording else compare
    print(json.dumps(what(args.voices, args.period, args.seconds, args.turns)))


if __name__ == "__main__":
    main()
