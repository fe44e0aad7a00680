"""A trivial callback in a process of its own, beside an engine: which blocks would any program have lost here?

    python -m benchmarks.soaking.control jack --block 256

It fills its blocks with silence. `jack`: on a JACK server of its own, as the engine has one; on a shared server each
client would be told of the other's late blocks. A second client there takes MIDI and does nothing with it: the engine
has one too, and a server tells of a late block whichever of its clients was late. `null`: at the pace of the clock, as
`tetrad play --audio null`. Every line of standard input is answered by a JSON line, {"blocks", "lost"}; the end of the
input ends it.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from types import TracebackType

import numpy as np

from benchmarks.jack_server import jack_server
from synth.frames import SAMPLE_RATE_HZ
from synth.io.audio import NO_DEVICE, AudioOutput, choose_output
from synth.io.jack_library import end_client, open_client, set_callback
from synth.jit import cfunc
from synth.native import SOURCE, Source, stereo_view
from tests.ui.engine import WITH_US


@cfunc(SOURCE)
def _silence(_data, out_at, n_samples, _time_ns, _frame):  # type: ignore[no-untyped-def]
    stereo_view(out_at, n_samples)[:] = np.float32(0.0)


@cfunc("i4(u4, i8)")
def _nothing(_n_samples, _data):  # type: ignore[no-untyped-def]
    return 0


@contextlib.contextmanager
def _midi_client() -> Iterator[None]:
    """Takes MIDI, and does nothing with it."""
    client = open_client("control-midi")
    client.midi_inports.register("in")
    set_callback(client, "process", _nothing, 0)
    client.activate()
    try:
        yield
    finally:
        end_client(client, False)


class Control:
    """The process; a context manager. audio: "jack" or "null". block: samples. pin: cores for `taskset`, or ""."""

    def __init__(self, audio: str, block: int, pin: str = "") -> None:
        pinned = ["taskset", "-c", pin] if pin else []
        command = [*WITH_US, *pinned, sys.executable, "-m", "benchmarks.soaking.control", audio, "--block", str(block)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def counts(self) -> dict[str, int]:
        """Blocks since its start, and those of them that came too late. EOFError when it has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):  # ValueError: it was closed
            raise EOFError("the trivial callback's process has ended") from None
        line = self._process.stdout.readline()
        if not line:
            raise EOFError("the trivial callback's process has ended")
        counts: dict[str, int] = json.loads(line)
        return counts

    def __enter__(self) -> "Control":
        self.counts()  # it runs
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate(timeout=30)


def main() -> None:
    """The process itself."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("audio", choices=("jack", "null"))
    parser.add_argument("--block", type=int, required=True, help="samples")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # a soak was killed: the server is to end as well
    with contextlib.ExitStack() as stack:
        device = NO_DEVICE
        if args.audio == "jack":
            stack.enter_context(jack_server(args.block, synchronous=False))
            found = choose_output("JACK", SAMPLE_RATE_HZ)
            if found is None:
                raise SystemExit("no JACK output; install jackd2")
            device = found
            stack.enter_context(_midi_client())
        source = Source(_silence.address, 0, _silence)
        block = args.block if args.audio == "null" else 0
        output = stack.enter_context(AudioOutput(device, source, sample_rate_hz=SAMPLE_RATE_HZ, block_size=block))
        for _ in sys.stdin:
            health = output.health()
            print(json.dumps({"blocks": health.blocks, "lost": health.underflows, "process": os.getpid()}), flush=True)


if __name__ == "__main__":
    main()
