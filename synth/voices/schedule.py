"""What the engine is to do, by absolute sample: events, and the voices' earliest tick.

The conductor carries it out, its notes add to it. Both hold this, and neither the other: an engine that nobody holds is
gone at once, though Python's collector is off while music plays. (One for each audition stayed, 150 kB of it.)
"""

import heapq
from dataclasses import dataclass

from synth.control.events import Event
from synth.voices.voice import NEVER


@dataclass(frozen=True)
class LateRelease(Event):
    """The release of a note that was let go before its first frame was over."""

    slot: int = 0
    serial: int = 0


@dataclass(frozen=True)
class Refresh(Event):
    """A change of what sounding voices read begins, or one is over."""


class Schedule:
    """One thread at a time. earliest_tick: of all voices; NEVER when none waits for one."""

    def __init__(self) -> None:
        self.earliest_tick = NEVER
        self._waiting: list[tuple[int, int, Event]] = []
        self._refreshes: set[int] = set()
        self._n_events = 0

    def put(self, event: Event) -> None:
        """Events of one sample are carried out in the order in which they were put."""
        heapq.heappush(self._waiting, (event.time_samples, self._n_events, event))
        self._n_events += 1

    def take(self, before: int) -> Event | None:
        """The next event whose sample is before `before`."""
        if not self._waiting or self._waiting[0][0] >= before:
            return None
        event = heapq.heappop(self._waiting)[2]
        if isinstance(event, Refresh):
            self._refreshes.discard(event.time_samples)
        return event

    def forget(self) -> None:
        """Nothing is to be done."""
        self.earliest_tick = NEVER
        self._waiting.clear()
        self._refreshes.clear()

    def tick(self, time: int) -> None:
        """A voice has a tick at this sample."""
        self.earliest_tick = min(self.earliest_tick, time)

    def release(self, time: int, slot: int, serial: int) -> None:
        """`Notes.release_later` of a slot and a serial."""
        self.put(LateRelease(time, slot, serial))

    def refresh(self, time: int) -> None:
        """`Sources.refresh`, once for each sample."""
        if time not in self._refreshes:
            self._refreshes.add(time)
            self.put(Refresh(time))
