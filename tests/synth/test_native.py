"""Native code without Python: memory by address, counters between threads, C functions by address."""

import ctypes
import re
import threading
import time
from typing import Any

import numba
import numpy as np
import pytest

from synth.errors import TetradError
from synth.jit import cfunc, njit
from synth.native import (
    SOURCE,
    Layout,
    Player,
    Source,
    address_of,
    call_source,
    count,
    foreign,
    load_acquire,
    now_ns,
    set_count,
    sleep_us,
    stereo_view,
    store_release,
    system_words,
    view_of,
)
from tests.ramp import STEP, ramp

POINT = np.dtype([("weight", np.float32), ("place", np.int64, (3,))], align=True)
_LAYOUT = Layout(points=POINT, table=(np.float32, 2), counts=np.int64)
_unpack = _LAYOUT.unpack
_bytes = view_of(np.uint8)
_memcmp = foreign("i4(i8, i8, u8)")
_GAIN = Layout(source=np.int64, gain=np.float32)
_gain_memory = _GAIN.unpack


@njit()
def _work(address):  # type: ignore[no-untyped-def]
    """Adds what all arrays hold into counts[0], and writes to each of them."""
    points, table, counts = _unpack(address)
    total = 0.0
    for point in points:
        total += point.weight + point.place[2]
    for row in range(table.shape[0]):
        for column in range(table.shape[1]):
            total += 10.0 * row * table[row, column] + column
    counts[0] = np.int64(total)
    points[1].place[0] = 77
    table[1, 2] = np.float32(-1.0)
    return counts.shape[0]


@njit()
def _views(first, second, memcmp):  # type: ignore[no-untyped-def]
    """Whether two arrays hold the same bytes, asked of C; and the first byte by its address."""
    n = first.shape[0] * first.itemsize
    return _memcmp(memcmp, (address_of(first), address_of(second), n)) == 0, _bytes(address_of(first), n)[0]


@cfunc(SOURCE)
def _louder(data, out_at, n_samples, time_ns, frame):  # type: ignore[no-untyped-def]
    """A source in front of another, which also writes what it was told into the first sample."""
    source, gain = _gain_memory(data)
    call_source(source[0], (source[1], out_at, n_samples, time_ns, frame))
    out = stereo_view(out_at, n_samples)
    for i in range(n_samples):
        out[i, 0] *= gain[0]
    out[0, 0], out[0, 1] = time_ns, frame


def test_a_kernel_finds_the_arrays_that_were_packed_and_writes_to_them() -> None:
    points = np.zeros(2, POINT)
    points["weight"], points["place"][:, 2] = (1.5, 2.5), (100, 200)
    table = np.arange(6, dtype=np.float32).reshape(2, 3)
    counts = np.zeros(4, np.int64)
    packed = _LAYOUT.pack(points=points, table=table, counts=counts)
    assert packed.words.nbytes == _LAYOUT.n_bytes
    assert _work(packed.address) == 4
    assert counts[0] == 304 + 10 * (3 + 4 + 5) + 2 * (0 + 1 + 2)
    assert points["place"][1, 0] == 77
    assert table[1, 2] == -1.0
    double = packed + _LAYOUT.pack(points=points, table=table, counts=np.zeros(9, np.int64))
    assert _work(double.address + _LAYOUT.n_bytes) == 9
    assert _LAYOUT.places("counts", "points") == (2, 0)


def test_what_does_not_fit_the_layout_is_refused_in_one_line() -> None:
    points, table, counts = np.zeros(2, POINT), np.zeros((2, 3), np.float32), np.zeros(4, np.int64)
    for wrong in (table.astype(np.float64), table.ravel(), np.zeros((3, 2), np.float32).T):
        with pytest.raises(TetradError, match=r"Array table is float.*expected a C-contiguous one of float32 with 2"):
            _LAYOUT.pack(points=points, table=wrong, counts=counts)
    with pytest.raises(TetradError, match="Arrays points, counts were packed; expected points, table, counts"):
        _LAYOUT.pack(points=points, counts=counts)
    play = Player(ramp())
    for block in (np.zeros((4, 2)), np.zeros((4, 3), np.float32), np.zeros((8, 2), np.float32)[::2]):
        with pytest.raises(TetradError, match="expected contiguous float32"):
            play(block)  # type: ignore[arg-type]


def test_c_functions_are_called_by_address_with_their_own_types() -> None:
    memcmp = ctypes.cast(ctypes.CDLL(None).memcmp, ctypes.c_void_p).value
    first, second = np.arange(5, dtype=np.int64) + 0x1122, np.arange(5, dtype=np.int64) + 0x1122
    assert _views(first, second, memcmp) == (True, 0x22)
    second[4] += 1
    assert _views(first, second, memcmp) == (False, 0x22)


def test_the_clock_is_perf_counter_s_and_sleep_is_not_shorter() -> None:
    words = system_words()
    before_ns = time.perf_counter_ns()
    here_ns = now_ns(words)
    after_ns = time.perf_counter_ns()
    assert before_ns <= here_ns <= after_ns
    sleep_us(words, 3000)
    assert now_ns(words) - here_ns >= 3_000_000


def test_sources_stand_in_front_of_each_other_and_are_kept_alive() -> None:
    inner = ramp()
    memory = _GAIN.pack(source=inner.words(), gain=np.full(1, 4.0, np.float32))
    play = Player(Source(_louder.address, memory.address, (memory, inner, _louder)))
    del inner, memory
    out = np.zeros((6, 2), np.float32)
    play(out, 1024, 2048)
    play(out, 512, -1)
    np.testing.assert_array_equal(out[0], [512.0, -1.0])
    np.testing.assert_array_equal(out[1:], np.outer(np.arange(8, 13) * STEP, [4.0, -1.0]))


RING = 8


@njit()
def _send(counts, ring, n):  # type: ignore[no-untyped-def]
    for i in range(n):
        while i - load_acquire(counts, 1) >= RING:
            pass
        for j in range(ring.shape[1]):
            ring[i % RING, j] = i
        store_release(counts, 0, i + 1)


@njit()
def _receive(counts, ring, n):  # type: ignore[no-untyped-def]
    wrong = 0
    for i in range(n):
        while load_acquire(counts, 0) <= i:
            pass
        for j in range(ring.shape[1]):
            wrong += ring[i % RING, j] != i
            ring[i % RING, j] = -1
        store_release(counts, 1, i + 1)
    return wrong


def test_what_a_counter_tells_of_is_there_when_the_counter_is() -> None:
    """Without the interpreter lock. (An x86 processor keeps the order by itself, the compiler need not.)"""
    counts, ring = np.zeros(2, np.int64), np.zeros((RING, 5), np.int64)
    _send(counts, ring, 0)
    _receive(counts, ring, 0)
    sender = threading.Thread(target=_send, args=(counts, ring, 20_000))
    sender.start()
    assert _receive(counts, ring, 20_000) == 0
    sender.join()
    assert counts.tolist() == [20_000, 20_000]


@pytest.mark.parametrize(
    ("kernel", "arguments", "instruction"),
    [(count, (1,), r"load atomic .*acquire"), (set_count, (1, 5), r"store atomic .*release")],
)
def test_the_compiler_is_told_of_the_order(kernel: Any, arguments: tuple[int, ...], instruction: str) -> None:
    """So that the code for ARM, whose processors do reorder, has ldar and stlr."""
    fresh = numba.njit(nogil=True)(kernel.py_func)  # what comes from the cache has no IR any more
    fresh(np.zeros(2, np.int64), *arguments)
    assert re.search(instruction, fresh.inspect_llvm(fresh.signatures[0]))
