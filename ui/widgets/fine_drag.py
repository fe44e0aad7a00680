"""What a finger on a fader means. Pure: positions in, travel out; no Kivy and no clock here.

States: `waiting` (it has not moved far enough to mean anything: a tap, or a long press); `dragging` (the value follows
from where it was, without a jump); `scrolling` (it moved across first, and what the fader lies in can scroll).
While it drags it becomes `fine`, ten times slower: as long as it is far across from where it began, or for good after
it has rested (`rest`, which the owner of a clock calls).
"""

import math
from dataclasses import dataclass

SLOP_MM = 1.5
"""A finger that only taps rolls about 1 mm."""
FINE_FROM_MM, COARSE_FROM_MM = 14.0, 11.0
"""Across. The first is a fader's height and a half, so that a slanted drag stays coarse; apart, so that it does not
flicker."""
FINER = 10.0
STIR_MM = 1.0
"""A finger that moves less than this rests."""


@dataclass
class FineDrag:
    """One finger. travel: 0..1, of the value when it came down. along, across: where it came down, in mm.
    length_mm: what the whole travel takes. can_scroll: moving across first is for somebody else."""

    travel: float
    along_mm: float
    across_mm: float
    length_mm: float
    can_scroll: bool = False
    state: str = "waiting"
    rested: bool = False
    far: bool = False

    def __post_init__(self) -> None:
        self._first_across_mm = self.across_mm
        self._stirred_at = self.along_mm, self.across_mm

    @property
    def fine(self) -> bool:
        """It is ten times finer now."""
        return self.state == "dragging" and (self.rested or self.far)

    def move(self, along_mm: float, across_mm: float) -> bool:
        """The finger is here now; `travel` follows. True when it moved enough to be no rest."""
        step_mm = along_mm - self.along_mm
        if self.state == "waiting":
            if max(abs(step_mm), abs(across_mm - self.across_mm)) < SLOP_MM:
                return False
            across_first = abs(across_mm - self.across_mm) > abs(step_mm)
            self.state = "scrolling" if across_first and self.can_scroll else "dragging"
            # Only the slop is lost, however far the finger came until it was heard of again.
            step_mm -= math.copysign(min(SLOP_MM, abs(step_mm)), step_mm)
        self.along_mm, self.across_mm = along_mm, across_mm
        if self.state == "dragging":
            away_mm = abs(across_mm - self._first_across_mm)
            self.far = away_mm > (COARSE_FROM_MM if self.far else FINE_FROM_MM)
            step = step_mm / max(self.length_mm, 1.0) / (FINER if self.fine else 1.0)
            self.travel = min(max(self.travel + step, 0.0), 1.0)
        stirred = max(abs(along_mm - self._stirred_at[0]), abs(across_mm - self._stirred_at[1])) >= STIR_MM
        if stirred:
            self._stirred_at = along_mm, across_mm
        return stirred

    def rest(self) -> None:
        """It has not moved for a while: from now on it is fine."""
        self.rested = self.rested or self.state == "dragging"
