"""The governor against a machine whose blocks cost what voices cost, with jitter."""

import numpy as np
import pytest

from synth.errors import TetradError
from synth.governor import BUSY, FEWEST_VOICES, RECOVERY_S, Governor

TICK_S = 0.033


class Machine:
    """Blocks that cost a fixed share per sounding voice, with noise, and now and then one that is interrupted."""

    def __init__(self, share_per_voice: float, seed: int = 0, interrupted: float = 0.02) -> None:
        self.share_per_voice = share_per_voice
        self.interrupted = interrupted
        self._chance = np.random.default_rng(seed)

    def shares(self, voices: int, n: int = 64) -> list[float]:
        steady = voices * self.share_per_voice * self._chance.uniform(0.9, 1.1, n)
        return list(steady + np.where(self._chance.random(n) < self.interrupted, 5.0, 0.0))


def play(governor: Governor, machine: Machine, wanted: int, seconds: float) -> list[int]:
    """Limits, update by update, of a player who always wants so many voices."""
    limits = []
    for _ in range(round(seconds / TICK_S)):
        voices = min(wanted, governor.limit)
        limits.append(governor.update(machine.shares(voices), 0.0, voices, TICK_S))
    return limits


def test_a_machine_that_can_is_left_alone() -> None:
    limits = play(Governor(64), Machine(0.5 / 64, interrupted=0.1), 64, 60.0)
    assert set(limits) == {64}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("share", "lowest", "highest"), [(1.0 / 64, 34, 48), (2.0 / 64, 17, 24), (3.0 / 64, 11, 16)])
def test_too_many_voices_are_lowered_within_half_a_second_and_stay_in_between(
    share: float, lowest: int, highest: int, seed: int
) -> None:
    governor = Governor(64)
    limits = play(governor, Machine(share, seed), 64, 120.0)
    assert limits[0] < 64  # the first measurement is enough
    assert max(limits[15:]) <= highest
    assert min(limits) >= lowest
    assert all(limit * share < BUSY for limit in limits[15:])
    assert governor.attacks <= 4  # no to and fro
    assert len(set(limits[-1_000:])) == 1


def test_it_never_goes_below_four() -> None:
    governor = Governor(64)
    assert min(play(governor, Machine(10.0), 64, 30.0)) == FEWEST_VOICES
    assert governor.limit == FEWEST_VOICES
    small = Governor(2)
    assert set(play(small, Machine(10.0), 2, 5.0)) == {2}


def test_recovery_is_slow_and_complete() -> None:
    governor = Governor(64)
    low = governor.update([2.0] * 64, 0.0, 64, TICK_S)
    assert low == 32  # half at most in one go
    relieved = play(governor, Machine(0.5 / 64), 64, 60.0)
    assert relieved[int((RECOVERY_S - 0.2) / TICK_S)] == low
    steps = np.diff(relieved)
    assert set(steps) == {0, 1}
    assert relieved[-1] == 64
    assert RECOVERY_S + 31 / 4 < (1 + relieved.index(64)) * TICK_S < RECOVERY_S + 31 / 4 + 0.5


def test_silence_lets_it_recover_but_the_next_chord_is_caught_again() -> None:
    governor, machine = Governor(64), Machine(2.0 / 64)
    play(governor, machine, 64, 5.0)
    assert governor.limit < 30
    play(governor, machine, 0, 30.0)
    assert governor.limit == 64
    assert play(governor, machine, 64, 0.1)[0] < 40


def test_one_interrupted_block_costs_no_voice() -> None:
    governor = Governor(64)
    assert governor.update([0.3] * 60 + [9.0] * 4, 0.0, 40, TICK_S) == 64


def test_late_frames_lower_it_too_and_hold_it_down() -> None:
    governor = Governor(64)
    assert governor.update([0.2] * 64, 1.0, 50, TICK_S) == 45  # all of them: at once
    assert governor.update([0.2] * 64, 1.0, 45, TICK_S) == 45  # not before the measure could have changed
    for _ in range(1_000):  # a few now and then are no reason to go lower, and none to go higher
        governor.update([0.2] * 64, 0.015, 30, TICK_S)
    assert governor.limit == 45
    assert governor.attacks == 1


def test_a_tenth_of_the_frames_late_lowers_it_within_half_a_second() -> None:
    governor = Governor(64)
    limits = [governor.update([0.2] * 64, 0.1, 50, TICK_S) for _ in range(15)]
    assert limits[0] == 64
    assert limits[-1] < 50


def test_one_late_tick_a_second_costs_no_voice_and_holds_none_down() -> None:
    """A tick that was late in all of its voices: the machine stood still for some ms."""
    governor = Governor(64)
    ticks = TICK_S * 125.0
    for number in range(1_000):
        governor.update([0.2] * 64, 1.0 / ticks if number % 30 == 0 else 0.0, 50, TICK_S)
    assert governor.attacks == 0
    governor.update([2.0] * 64, 0.0, 64, TICK_S)
    assert governor.limit == 32
    for number in range(3_000):
        governor.update([0.2] * 64, 1.0 / ticks if number % 90 == 0 else 0.0, 20, TICK_S)
    assert governor.limit == 64


def test_hysteresis_between_calm_and_busy_nothing_moves() -> None:
    governor = Governor(64)
    governor.update([1.0] * 64, 0.0, 64, TICK_S)
    low = governor.limit
    for _ in range(5_000):
        assert governor.update([0.68] * 64, 0.0, low, TICK_S) == low


def test_no_voice_more_than_the_cost_per_voice_allows() -> None:
    governor = Governor(64)
    limit = governor.update([1.2] * 64, 0.0, 64, TICK_S)
    for _ in range(5_000):  # 0.55 with 25 voices would be above 0.75 with 35
        governor.update([0.55] * 64, 0.0, 25, TICK_S)
    assert limit == 32
    assert governor.limit == 34


@pytest.mark.parametrize("shares", [[], [9.0] * 7, [float("nan")] * 64, [float("inf")] * 64])
def test_what_says_nothing_changes_nothing(shares: list[float]) -> None:
    assert Governor(64).update(shares, 0.0, 64, -1.0) == 64


def test_no_voices_are_refused() -> None:
    with pytest.raises(TetradError, match="governor of 0 voices"):
        Governor(0)
