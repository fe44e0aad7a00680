"""Fast turning goes farther: detents become steps, slow ones one each, fast ones up to MOST_STEPS.

A list of some 40 to 200 instruments is browsed with 24 detents a turn. Slowly each detent is the next one; a spin goes
through the whole list. Nothing is lost: a detent is one step at least, and the way back begins at one again.
"""

from collections import deque

WINDOW_S = 0.15
"""Speed is measured over this. States come in batches (USB adapters collect for up to 16 ms), so that the time
between two of them says little."""
SLOW_DETENTS_PER_S, FAST_DETENTS_PER_S = 15.0, 60.0
"""Up to the first a detent is one step; from the second on it is MOST_STEPS."""
MOST_STEPS = 4.0


def steps_per_detent(detents_per_s: float) -> float:
    """1 to MOST_STEPS, never falling with the speed (detents a second, either way round)."""
    share = (abs(detents_per_s) - SLOW_DETENTS_PER_S) / (FAST_DETENTS_PER_S - SLOW_DETENTS_PER_S)
    return 1.0 + (MOST_STEPS - 1.0) * min(max(share, 0.0), 1.0)


class Acceleration:
    """Of one encoder."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, int]] = deque()
        self._remainder = 0.0

    def steps(self, detents: int, now_s: float) -> int:
        """Steps to go, of the sign of `detents` and at least as many. now_s: of a clock that never goes back."""
        if detents == 0:
            return 0
        if self._recent and (self._recent[-1][1] > 0) is not (detents > 0):
            self._recent.clear()
            self._remainder = 0.0
        self._recent.append((now_s, detents))
        while now_s - self._recent[0][0] >= WINDOW_S:
            self._recent.popleft()
        # The first of a movement may stand for any time before it: the whole window is what it is divided by.
        speed = sum(abs(one) for _, one in self._recent) / WINDOW_S
        exact = abs(detents) * steps_per_detent(speed) + self._remainder
        self._remainder = exact % 1.0
        return int(exact) if detents > 0 else -int(exact)
