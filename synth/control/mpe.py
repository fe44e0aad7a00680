"""MIDI Polyphonic Expression, version 1.1 (MMA M1-100-UM): which channels form a zone.

A zone has a manager channel, whose messages are for all its notes, and member channels, which have a note each. The
lower zone's manager is channel 0 with members from 1 up, the upper zone's is channel 15 with members from 14 down.
"""

from dataclasses import dataclass
from typing import Self

from synth.control.events import N_CHANNELS
from synth.errors import TetradError

LOWER_MANAGER, UPPER_MANAGER = 0, N_CHANNELS - 1
MOST_MEMBERS = N_CHANNELS - 1
MEMBER_BEND_RANGE_SEMITONES = 48.0
"""What a zone begins with; its manager has the usual 2."""


@dataclass(frozen=True)
class Zones:
    """Number of member channels of the two zones, 0..15; 0: there is no such zone. Together they fit 16 channels."""

    lower: int = 0
    upper: int = 0

    def __post_init__(self) -> None:
        for name, n in (("lower", self.lower), ("upper", self.upper)):
            if isinstance(n, bool) or not isinstance(n, int) or not 0 <= n <= MOST_MEMBERS:
                raise TetradError(f"The {name} MPE zone has {n!r} members; a whole number from 0 to 15 was expected.")
        if self.lower and self.upper and self.lower + self.upper > N_CHANNELS - 2:
            raise TetradError(
                f"The MPE zones have {self.lower} and {self.upper} members; at most 14 together were expected "
                "beside their two managers; make one smaller."
            )

    def members(self, manager: int) -> range:
        """Member channels of a manager; none when it manages nothing."""
        if manager == LOWER_MANAGER:
            return range(1, 1 + self.lower)
        if manager == UPPER_MANAGER:
            return range(UPPER_MANAGER - self.upper, UPPER_MANAGER)
        return range(0)

    def manager_of(self, channel: int) -> int | None:
        """The manager of the zone that a channel is in, itself if it is one; None outside of zones."""
        if self.lower and channel <= self.lower:
            return LOWER_MANAGER
        if self.upper and channel >= UPPER_MANAGER - self.upper:
            return UPPER_MANAGER
        return None

    def configured(self, manager: int, n_members: int) -> Self:
        """After a manager's MPE Configuration Message: its zone has what it asks for, the other at most the rest."""
        rest = max(N_CHANNELS - 2 - n_members, 0) if n_members else MOST_MEMBERS
        if manager == LOWER_MANAGER:
            return type(self)(n_members, min(self.upper, rest))
        return type(self)(min(self.lower, rest), n_members)
