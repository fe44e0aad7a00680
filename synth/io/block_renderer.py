"""What every sound card's callback does with a block: have it filled, and count.

**What the callback does** (on the card's real-time thread, every block, 2.7 ms for 128 samples at 48 kHz): it is a C
function of the card's file that calls `render_block` here, which calls the source and moves counters. No Python: the
interpreter lock is never taken. No other lock, log, file or allocation, and nothing in it can fail. The memory that it
works on is a `synth.native.Layout`'s, kept by the stream and the BlockRenderer until the card has let go.
"""

from typing import NamedTuple

import numpy as np

from synth.frames import Float32Array
from synth.jit import cfunc, njit
from synth.native import Int64Array, Layout, Source, Table, call_source, now_ns, system_words

RECENT_BLOCKS = 64


class AudioHealth(NamedTuple):
    """What happened to a stream so far. Blocks are counted; times in seconds."""

    blocks: int
    underflows: int
    worst_block_s: float
    worst_block_share: float  # of the time that the block lasts
    losses: int = 0
    """How often the device disappeared."""
    worst_late_s: float = 0.0
    """The longest time from when a block was asked for to the next, less what the block lasts."""


HEALTH = np.dtype(
    [
        ("blocks", np.int64),
        ("underflows", np.int64),
        ("rendering", np.int64),  # 0 or 1
        ("worst_ns", np.int64),
        ("worst_share", np.float64),
        ("worst_late_ns", np.int64),
        ("due_ns", np.int64),  # when the next block should be asked for; 0: any time
        ("sample_rate", np.float64),
    ],
    align=True,
)
_MEMORY = Layout(health=HEALTH, shares=np.float64, source=np.int64, system=np.int64)
_memory = _MEMORY.unpack


@njit()
def render_block(data, out_at, n_samples, frame):  # type: ignore[no-untyped-def]
    """For the cards' C functions. data: address of `BlockRenderer.memory`; out_at: of float32 [n, 2]; frame: of JACK's
    clock, or -1."""
    healths, shares, source, system = _memory(data)
    health = healths[0]
    health.rendering = 1
    begin_ns = now_ns(system)
    if health.due_ns > 0:
        health.worst_late_ns = max(health.worst_late_ns, begin_ns - health.due_ns)
    length_ns = n_samples / health.sample_rate * 1e9
    health.due_ns = begin_ns + np.int64(length_ns)
    call_source(source[0], (source[1], out_at, n_samples, begin_ns, frame))
    took_ns = now_ns(system) - begin_ns
    share = took_ns / length_ns
    shares[health.blocks % RECENT_BLOCKS] = share
    if took_ns > health.worst_ns:
        health.worst_ns, health.worst_share = took_ns, share
    health.blocks += 1
    health.rendering = 0


@njit()
def count_underflow(data):  # type: ignore[no-untyped-def]
    """For the cards' C functions: a block came too late. data: `BlockRenderer.memory`."""
    _memory(data)[0][0].underflows += 1


@cfunc("void(i8, i8, i8)")
def _render(data, out_at, n_samples):  # type: ignore[no-untyped-def]
    render_block(data, out_at, n_samples, -1)


class BlockRenderer:
    """One thread at a time renders; any other may read."""

    def __init__(self, source: Source, sample_rate_hz: int) -> None:
        self._health = np.zeros(1, HEALTH)
        self._health["sample_rate"] = sample_rate_hz
        self._shares = np.zeros(RECENT_BLOCKS)
        self._source = source
        self.memory: Table = _MEMORY.pack(
            health=self._health, shares=self._shares, source=source.words(), system=system_words()
        )
        """What `render_block` gets the address of."""
        self.losses = 0

    @property
    def words(self) -> Int64Array:
        """The memory's address, int64 [1], for a stream's layout."""
        return np.array([self.memory.address], np.int64)

    @property
    def blocks(self) -> int:
        return int(self._health["blocks"][0])

    @property
    def rendering(self) -> bool:
        """Whether a block is being rendered right now."""
        return bool(self._health["rendering"][0])

    def render(self, out: Float32Array) -> None:
        """Fill a block, contiguous float32 [n, 2], in this thread."""
        assert out.flags.c_contiguous
        _render.call(self.memory.address, out.ctypes.data, out.shape[0])

    def another_stream(self) -> None:
        """The pace begins anew: what lies between two streams is no block's lateness."""
        self._health["due_ns"] = 0

    def recent_shares(self) -> list[float]:
        """Time of the last blocks as shares of what they last, at most 64, in no order: what a Governor asks for."""
        shares: list[float] = self._shares[: min(self.blocks, RECENT_BLOCKS)].tolist()
        return shares

    def health(self) -> AudioHealth:
        """The counters so far."""
        health = self._health[0]
        return AudioHealth(
            int(health["blocks"]),
            int(health["underflows"]),
            float(health["worst_ns"]) * 1e-9,
            float(health["worst_share"]),
            self.losses,
            float(health["worst_late_ns"]) * 1e-9,
        )
