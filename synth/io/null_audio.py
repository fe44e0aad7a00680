"""Sound at the pace of the clock that nobody hears: without a sound card, or until a lost one is back."""

import threading
import time

import numpy as np

from synth.io.block_renderer import AudioHealth, BlockRenderer, RenderInto


class Pump:
    """Asks for blocks in a thread of its own, as a sound card would. Use it as a context manager, once."""

    def __init__(self, renderer: BlockRenderer, *, sample_rate_hz: int, block_size: int) -> None:
        self._renderer = renderer
        self._period_s = block_size / sample_rate_hz
        self._block = np.zeros((block_size, 2), np.float32)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="null audio", daemon=True)

    def __enter__(self) -> "Pump":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        due_s = time.perf_counter()
        while not self._stopping.wait(max(due_s - time.perf_counter(), 0.0)):
            now_s = time.perf_counter()
            if now_s - due_s > 8 * self._period_s:  # a sound card would have run dry long ago: forget what was missed
                self._renderer.underflows += 1
                due_s = now_s
            self._renderer.render(self._block)
            due_s += self._period_s


class NullOutput:
    """Takes the sound at the pace of the clock and throws it away: `--audio null`. Like AudioOutput otherwise."""

    latency_s = 0.0
    active = True
    waiting = False
    notices: tuple[str, ...] = ()

    def __init__(self, render_into: RenderInto, *, sample_rate_hz: int, block_size: int) -> None:
        self._renderer = BlockRenderer(render_into, sample_rate_hz)
        self._pump = Pump(self._renderer, sample_rate_hz=sample_rate_hz, block_size=block_size)

    def __enter__(self) -> "NullOutput":
        self._pump.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._pump.__exit__()

    @property
    def failure(self) -> BaseException | None:
        """What `render_into` raised; all is silent since."""
        return self._renderer.failure

    def recent_shares(self) -> list[float]:
        """As AudioOutput's."""
        return self._renderer.recent_shares()

    def health(self) -> AudioHealth:
        """The counters so far."""
        return self._renderer.health()
