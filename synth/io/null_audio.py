"""Sound at the pace of the clock that nobody hears: without a sound card, or until a lost one is back."""

import threading

import numpy as np

from synth.io.block_renderer import AudioHealth, BlockRenderer, count_underflow, render_block
from synth.jit import cfunc
from synth.native import Layout, Source, address_of, load_acquire, now_ns, set_count, sleep_us, system_words

DEFAULT_BLOCK = 128
_LONGEST_SLEEP_US = 20_000
"""So soon it notices that it is to stop."""
_MISSED_BLOCKS = 8
"""A sound card would have run dry long ago: forget what was missed."""
_MEMORY = Layout(stopping=np.int64, period_ns=np.int64, block=(np.float32, 2), renderer=np.int64, system=np.int64)
_memory = _MEMORY.unpack


@cfunc("void(i8)")
def _pump(data):  # type: ignore[no-untyped-def]
    stopping, period_ns, block, renderer, system = _memory(data)
    due_ns = now_ns(system)
    while not load_acquire(stopping, 0):
        ahead_ns = due_ns - now_ns(system)
        if ahead_ns > 0:
            sleep_us(system, min(ahead_ns // 1000 + 1, _LONGEST_SLEEP_US))
            continue
        if -ahead_ns > _MISSED_BLOCKS * period_ns[0]:
            count_underflow(renderer[0])
            due_ns -= ahead_ns
        render_block(renderer[0], address_of(block), block.shape[0], -1)
        due_ns += period_ns[0]


class Pump:
    """Asks for blocks in a thread of its own, as a sound card would, and without the interpreter as well. Use it as a
    context manager, once."""

    def __init__(self, renderer: BlockRenderer, *, sample_rate_hz: int, block_size: int) -> None:
        self._stopping = np.zeros(1, np.int64)
        self._renderer = renderer
        self._memory = _MEMORY.pack(
            stopping=self._stopping,
            period_ns=np.full(1, round(block_size / sample_rate_hz * 1e9), np.int64),
            block=np.zeros((block_size, 2), np.float32),
            renderer=renderer.words,
            system=system_words(),
        )
        self._thread = threading.Thread(target=_pump.call, args=(self._memory.address,), name="null audio", daemon=True)

    def __enter__(self) -> "Pump":
        self._renderer.another_stream()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        set_count(self._stopping, 0, 1)
        self._thread.join()
        self._renderer.another_stream()


class NullStream:
    """A stream of no device's, as an AudioOutput has streams."""

    active = True
    latency_s = 0.0

    def __init__(self, renderer: BlockRenderer, *, sample_rate_hz: int, block_size: int) -> None:
        """block_size 0: 128 samples."""
        self.block_size = block_size or DEFAULT_BLOCK
        self._pump = Pump(renderer, sample_rate_hz=sample_rate_hz, block_size=self.block_size)
        self._started = False

    def start(self) -> None:
        """Blocks are asked for from here on."""
        self._pump.__enter__()
        self._started = True

    def silence(self) -> None:
        """No more blocks are asked for."""
        self.close()

    def close(self) -> None:
        """The end."""
        if self._started:
            self._started = False
            self._pump.__exit__()


class NullOutput:
    """Takes the sound at the pace of the clock and throws it away: `--audio null`. Like AudioOutput otherwise."""

    latency_s = 0.0
    active = True
    waiting = False
    notices: tuple[str, ...] = ()

    def __init__(self, source: Source, *, sample_rate_hz: int, block_size: int) -> None:
        self._renderer = BlockRenderer(source, sample_rate_hz)
        self._pump = Pump(self._renderer, sample_rate_hz=sample_rate_hz, block_size=block_size)

    def __enter__(self) -> "NullOutput":
        self._pump.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._pump.__exit__()

    def recent_shares(self) -> list[float]:
        """As AudioOutput's."""
        return self._renderer.recent_shares()

    def health(self) -> AudioHealth:
        """The counters so far."""
        return self._renderer.health()
