"""What every sound card's callback does with a block: render it, count, and let nothing out.

**What the callback may do** (on the card's real-time thread, every block, 2.7 ms for 128 samples at 48 kHz): call
`render_into`, which fills the whole block in place, and add to its own counters. No lock, no log, no file, no
allocation that grows, no exception out of it: one that `render_into` raises is kept for the main thread, and the block
and all after it are silence.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RenderInto = Callable[[NDArray[np.float32]], object]
RECENT_BLOCKS = 64


class AudioHealth(NamedTuple):
    """What happened to a stream so far. Blocks are counted; times in seconds."""

    blocks: int
    underflows: int
    worst_block_s: float
    worst_block_share: float  # of the time that the block lasts
    losses: int = 0
    """How often the device disappeared."""


class BlockRenderer:
    """One thread at a time renders; any other may read."""

    def __init__(self, render_into: RenderInto, sample_rate_hz: int) -> None:
        self._render_into = render_into
        self._sample_rate_hz = sample_rate_hz
        self._shares = [0.0] * RECENT_BLOCKS
        self._worst_block_s = 0.0
        self._worst_share = 0.0
        self.blocks = 0
        self.underflows = 0
        self.losses = 0
        self.rendering = False
        """Whether a block is being rendered right now."""
        self.failure: BaseException | None = None
        """What `render_into` raised; all is silent since."""

    def render(self, out: NDArray[np.float32]) -> None:
        """Fill a block, float32 [n, 2]. See the top of this file for what may happen here."""
        begin_s = time.perf_counter()
        self.rendering = True
        if self.failure is None:
            try:
                self._render_into(out)
            except BaseException as error:  # noqa: BLE001  (nothing may leave the callback; `failure` is looked at)
                self.failure = error
        if self.failure is not None:
            out.fill(0.0)
        took_s = time.perf_counter() - begin_s
        share = took_s * self._sample_rate_hz / max(len(out), 1)
        self._shares[self.blocks % RECENT_BLOCKS] = share
        self.blocks += 1
        if took_s > self._worst_block_s:
            self._worst_block_s = took_s
            self._worst_share = share
        self.rendering = False

    def recent_shares(self) -> list[float]:
        """Time of the last blocks as shares of what they last, at most 64, in no order: what a Governor asks for."""
        return self._shares[: min(self.blocks, RECENT_BLOCKS)]

    def health(self) -> AudioHealth:
        """The counters so far."""
        return AudioHealth(self.blocks, self.underflows, self._worst_block_s, self._worst_share, self.losses)
