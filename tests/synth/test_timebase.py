"""The loop that tells which sample a moment is."""

import numpy as np
import pytest

from synth.timebase import Timebase

RATE_HZ, BLOCK = 48_000, 128


def run(n_blocks: int, jitter_s: float, rate_hz: float = RATE_HZ) -> tuple[Timebase, list[float]]:
    """A loop after n blocks of a card that runs at `rate_hz`, and how far off (samples) it was after each."""
    random = np.random.default_rng(1)
    loop = Timebase(RATE_HZ, 0.0)
    errors = []
    for block in range(n_blocks):
        due_s = block * BLOCK / rate_hz
        loop.block(due_s + random.exponential(jitter_s), block * BLOCK, BLOCK)
        errors.append(loop.sample_at(due_s) - block * BLOCK)
    return loop, errors


def test_without_jitter_every_moment_is_its_own_sample() -> None:
    _, errors = run(2000, 0.0)
    assert np.abs(errors).max() < 1e-6


def test_jitter_of_the_callback_hardly_moves_it() -> None:
    _, errors = run(6000, 0.0005)
    settled = np.array(errors[3000:])
    # The raw callback's jitter has a standard deviation of 24 samples, its worst is some 150.
    assert settled.std() < 3.0
    assert np.ptp(settled) < 16.0


def test_it_follows_a_card_that_runs_fast() -> None:
    loop, errors = run(8000, 0.0, rate_hz=48_000 * 1.0003)
    assert abs(errors[-1]) < 0.5
    end_s = 8000 * BLOCK / (48_000 * 1.0003)
    assert loop.sample_at(end_s + 0.1) - loop.sample_at(end_s) == pytest.approx(4800 * 1.0003, abs=0.3)


def test_after_a_stall_it_starts_anew_where_the_stream_goes_on() -> None:
    loop, _ = run(1000, 0.0001)
    stalled_s = 1000 * BLOCK / RATE_HZ + 0.5
    loop.block(stalled_s, 1000 * BLOCK, BLOCK)
    assert loop.restarts == 1
    assert loop.sample_at(stalled_s) == pytest.approx(1000 * BLOCK, abs=1e-6)


def test_blocks_of_unlike_sizes_are_one_clock() -> None:
    loop = Timebase(RATE_HZ, 0.0)
    clock = 0
    for size in (128, 256, 64, 1024, 128) * 40:
        loop.block(clock / RATE_HZ, clock, size)
        clock += size
    assert loop.restarts == 0
    assert loop.sample_at(1.0) == pytest.approx(RATE_HZ, abs=1e-3)
