"""How many voices the machine can carry: fewer before the callback is late, more again when there is room.

Two things can be too slow. The *callback*: its blocks' shares of what they last come in, and the upper quartile of the
latest counts, because one block in a hundred is late for reasons that no voice has (another process, an interrupt) and
must not cost a note. The *conductor*: control frames that were late count as a share of those that were due, over the
last second or so, because one tick that was late in all of its voices must not cost a note either.

Attack: above BUSY, or with more than LATE of the frames late, the limit falls at once to what the measured cost per
voice allows at CALM, by a tenth at least and by half at most; then it waits until the measure shows the voices that are
left. Recovery: below CALM for RECOVERY_S with hardly a late frame, one voice more, and again after each EASE_S, as long
as the cost per voice predicts a share below BUSY. Between CALM and BUSY nothing moves. Pure: no clock, no thread.
"""

import math
from collections.abc import Sequence

from synth.errors import TetradError

FEWEST_VOICES = 4
CALM, BUSY = 0.6, 0.75
"""Shares of a block's time. Above BUSY every fourth block leaves less than a quarter for what else may come."""
LATE, HARDLY_LATE = 0.02, 0.01
LATE_WITHIN_S = 1.0
"""Of 125 ticks a second one is 0.008: a machine that stands still for 5 ms now and then keeps its voices; one whose
frames are all late loses some after 0.1 s."""
RECOVERY_S = 3.0
EASE_S = 0.25
SETTLE_S = 0.1
"""After an attack: a voice fades out in some ms, and the measure has to fill with blocks without it."""
_QUANTILE = 0.75
_FEWEST_BLOCKS = 8


class Governor:
    """Feed it what was measured, some ten times a second; `limit` is what the engine may use."""

    def __init__(self, most_voices: int) -> None:
        """most_voices: of the engine, at least 1; one of fewer than 4 is never limited."""
        if most_voices < 1:
            raise TetradError(f"A governor of {most_voices} voices was asked for; expected 1 or more.")
        self.most_voices = most_voices
        self.limit = most_voices
        self.attacks = 0
        """How often the limit was lowered."""
        self._calm_s = 0.0
        self._settling_s = 0.0
        self._late_share = 0.0

    def update(self, shares: Sequence[float], late_share: float, voices: int, elapsed_s: float) -> int:
        """The limit after a measurement.

        shares: of the latest blocks (`AudioOutput.recent_shares`), 1.0 is all the time a block has; fewer than 8, or
        what is no number, says nothing. late_share: late control frames over those that were due since the last
        update, 0 or more. voices: sounding now. elapsed_s: since the last update, at least 0.
        """
        elapsed_s = max(elapsed_s, 0.0)
        load = _upper_quartile(shares)
        if self._settling_s > 0.0:
            self._settling_s -= elapsed_s
            return self.limit
        self._late_share += (late_share - self._late_share) * min(elapsed_s / LATE_WITHIN_S, 1.0)
        if load > BUSY or self._late_share > LATE:
            self._attack(load, voices)
        elif load < CALM and self._late_share <= HARDLY_LATE:
            self._calm_s += elapsed_s
            self._ease(load, voices)
        else:
            self._calm_s = 0.0
        return self.limit

    def _attack(self, load: float, voices: int) -> None:
        self._calm_s = self._late_share = 0.0
        self._settling_s = SETTLE_S
        loud = min(max(voices, 1), self.limit)
        share = min(max(CALM / load, 0.5), 0.9) if load > BUSY else 0.9
        lowered = max(math.floor(loud * share), min(FEWEST_VOICES, self.most_voices))
        if lowered < self.limit:
            self.limit = lowered
            self.attacks += 1

    def _ease(self, load: float, voices: int) -> None:
        while self.limit < self.most_voices and self._calm_s >= RECOVERY_S:
            predicted = load * (self.limit + 1) / voices if voices >= FEWEST_VOICES else 0.0
            if predicted >= BUSY:
                self._calm_s = RECOVERY_S
                return
            self.limit += 1
            self._calm_s -= EASE_S


def _upper_quartile(shares: Sequence[float]) -> float:
    known = sorted(share for share in shares if math.isfinite(share))
    return known[int(_QUANTILE * (len(known) - 1))] if len(known) >= _FEWEST_BLOCKS else 0.0
