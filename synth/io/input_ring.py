"""What a sound card's input callback writes into: a ring that is read when there is time.

The callback is a C function of the card's file (`sound_cards.py`, `jack_audio.py`). For every block it asks for room
(`room_for`), copies its channels (`put_channel`) and moves a count (`done`): no Python, no lock, no allocation, no
waiting. A reader that is too late loses whole blocks, which are counted.
"""

import numpy as np

from synth.frames import Float32Array
from synth.jit import njit
from synth.native import Int64Array, Layout, Table, count, load_acquire, set_count, store_release, view_of

KEPT_S = 10.0
"""The reader looks twenty times a second; a disk or a machine that stands still for so long loses nothing."""
_WRITTEN, _READ, _LOST, _INTERRUPTED = range(4)
_MEMORY = Layout(ring=(np.float32, 2), counts=np.int64)
_memory = _MEMORY.unpack
_samples = view_of(np.float32)


@njit()
def room_for(data, n):  # type: ignore[no-untyped-def]
    """For callbacks: where in the ring a block of n samples begins; -1 where there is no room, and it is counted.

    data: address of `InputRing.memory`.
    """
    ring, counts = _memory(data)
    if counts[_WRITTEN] + n - load_acquire(counts, _READ) > ring.shape[0]:
        store_release(counts, _LOST, counts[_LOST] + n)
        return np.int64(-1)
    return counts[_WRITTEN] % ring.shape[0]


@njit()
def put_channel(data, at, channel, source_at, n, stride):  # type: ignore[no-untyped-def]
    """For callbacks: copies one channel, every `stride`-th float32 from address `source_at` on, to place `at`."""
    ring = _memory(data)[0]
    source = _samples(source_at, n * stride)
    for i in range(n):
        ring[at, channel] = source[i * stride]
        at = at + 1 if at + 1 < ring.shape[0] else 0


@njit()
def done(data, n):  # type: ignore[no-untyped-def]
    """For callbacks: the block may be read."""
    counts = _memory(data)[1]
    store_release(counts, _WRITTEN, counts[_WRITTEN] + n)


@njit()
def interrupted(data):  # type: ignore[no-untyped-def]
    """For callbacks: the card itself has lost something."""
    counts = _memory(data)[1]
    store_release(counts, _INTERRUPTED, counts[_INTERRUPTED] + 1)


class InputRing:
    """One thread, the card's, writes; one reads."""

    def __init__(self, sample_rate_hz: int, channels: int, kept_s: float = KEPT_S) -> None:
        self.sample_rate_hz = sample_rate_hz
        self.channels = channels
        self._ring = np.empty((round(kept_s * sample_rate_hz), channels), np.float32)
        self._ring.fill(0.0)  # so that no page is new to the callback
        self._counts: Int64Array = np.zeros(4, np.int64)
        self.memory: Table = _MEMORY.pack(ring=self._ring, counts=self._counts)

    @property
    def words(self) -> Int64Array:
        """The memory's address, int64 [1], for a stream's layout."""
        return np.array([self.memory.address], np.int64)

    @property
    def n_written(self) -> int:
        """Samples since the start."""
        return int(count(self._counts, _WRITTEN))

    @property
    def n_lost(self) -> int:
        """Samples that found no room."""
        return int(count(self._counts, _LOST))

    @property
    def n_interruptions(self) -> int:
        """How often the card said that it lost something."""
        return int(count(self._counts, _INTERRUPTED))

    def read(self) -> Float32Array:
        """What has come since the last time, float32 [n, channels]; n may be 0."""
        first, end = int(self._counts[_READ]), self.n_written
        length = self._ring.shape[0]
        at = first % length
        n = min(end - first, length - at)
        sound = np.concatenate([self._ring[at : at + n], self._ring[: end - first - n]])
        set_count(self._counts, _READ, end)
        return sound
