"""A recorded gesture moves the finger: once, round and round in its own time, or on the beats of a Clock.

The player moves x and y once per control frame. Whoever touches x or y meanwhile has it, for as long as the touch
lasts; then the gesture takes it over again in a quarter of a second. One thread uses a GesturePlayer.
"""

import math
from collections.abc import Iterable
from enum import StrEnum

from synth.control.clock import Clock
from synth.control.events import Event, SetParameter
from synth.control.gesture import AXES, Gesture
from synth.errors import TetradError
from synth.frames import FRAME_RATE_HZ

TOUCH_S = 0.3
"""A touch that nobody said to be lifted ends so long after its last movement."""
TAKE_OVER_S = 0.25
SEAM_S = 0.05
"""From the end of a lap to the beginning of the next, where the two are apart."""
SLOWEST, FASTEST = 0.05, 20.0


class LoopMode(StrEnum):
    """How a gesture goes on at its end."""

    ONCE = "once"
    FREE = "free"
    """Round and round in its own time."""
    BEATS = "beats"
    """Round and round, stretched to the nearest whole number of beats, on the Clock's beats."""


class _Axis:
    """Who has x or y: the gesture or a touch, and the way from one to the other."""

    def __init__(self, place: float) -> None:
        self.place = place
        self.touched_until: float = -1.0  # sample; inf: until it is let go
        self._offset = 0.0
        self._from, self._length = 0.0, 1.0  # samples of the take-over

    def touched(self, sample: float) -> bool:
        return sample < self.touched_until

    def begin(self, sample: float, target: float, length: float) -> None:
        """From here the distance to the gesture shrinks to nothing."""
        self._offset, self._from, self._length = self.place - target, sample, max(length, 1.0)

    def move(self, sample: float, target: float) -> float:
        share = min(max((sample - self._from) / self._length, 0.0), 1.0)
        if share >= 1.0:
            self._offset = 0.0
        self.place = min(max(target + self._offset * 0.5 * (1.0 + math.cos(math.pi * share)), 0.0), 1.0)
        return self.place


class GesturePlayer:
    """Plays a gesture: feed it what is played, then take its movements."""

    def __init__(self, clock: Clock, x: float = 0.5, y: float = 0.5) -> None:
        self._clock = clock
        self._axes = {"x": _Axis(x), "y": _Axis(y)}
        self._gesture: Gesture | None = None
        self._mode, self._speed, self._mirrored = LoopMode.FREE, 1.0, False
        self._began = 0  # sample, of FREE and ONCE
        self._first_beat, self._beats = 0.0, 1  # of BEATS
        self._jumps = clock.jumps
        self._next_frame = 0
        self._lap = 0
        self._had_it = {"x": False, "y": False}

    @property
    def playing(self) -> bool:
        return self._gesture is not None

    def play(
        self,
        gesture: Gesture,
        sample: int,
        mode: LoopMode = LoopMode.FREE,
        *,
        speed: float = 1.0,
        mirrored: bool = False,
    ) -> None:
        """Begin at a sample. speed: 0.05..20 times as recorded. mirrored: there and back again.

        In time with the beats it is as long as the nearest whole number of them, at least one, at the tempo of now,
        and begins as if it had begun on the nearest beat; after a jump of the clock it begins with beat 0.
        """
        if not math.isfinite(speed) or not SLOWEST <= speed <= FASTEST:
            raise TetradError(
                f"The speed of a gesture is {speed!r}; expected a number from {SLOWEST:g} to {FASTEST:g}."
            )
        self._gesture, self._mode, self._speed, self._mirrored = gesture, mode, speed, mirrored
        self._began = self._next_frame = sample
        self._lap = 0
        self._jumps = self._clock.jumps
        self._first_beat = float(round(self._clock.beat_at(sample)))
        self._beats = max(round(gesture.length_s * self._clock.tempo_bpm(sample) / 60.0), 1)
        self._had_it = {"x": False, "y": False}

    def stop(self) -> None:
        """The finger stays where it is."""
        self._gesture = None

    def feed(self, events: Iterable[Event]) -> None:
        """Take note of who else moves x and y, never of what `advance` gave. Each touch lasts TOUCH_S longer."""
        for event in events:
            if isinstance(event, SetParameter) and event.name in AXES:
                axis = self._axes[event.name]
                axis.place = event.value
                lasts = event.time_samples + TOUCH_S * self._clock.sample_rate_hz
                axis.touched_until = max(axis.touched_until, lasts)

    def hold(self) -> None:
        """A finger is on the surface, however still, until `let_go`."""
        for axis in self._axes.values():
            axis.touched_until = math.inf

    def let_go(self, sample: int) -> None:
        """The finger has left the surface: the gesture takes over."""
        for axis in self._axes.values():
            axis.touched_until = float(sample)

    def advance(self, horizon_samples: int) -> list[Event]:
        """SetParameter of x and y for every control frame before a sample that was not given yet."""
        events: list[Event] = []
        frame = round(self._clock.sample_rate_hz / FRAME_RATE_HZ)
        while self._gesture is not None and self._next_frame < horizon_samples:
            events += self._frame(self._gesture, self._next_frame)
            self._next_frame += frame
        return events

    def _frame(self, gesture: Gesture, sample: int) -> list[Event]:
        lap, share = self._progress(gesture, sample)
        jumped = self._clock.jumps != self._jumps
        self._jumps = self._clock.jumps
        if self._mode == LoopMode.ONCE and lap > 0:
            lap, share = 0, 0.0 if self._mirrored else 1.0
            self._gesture = None
        seam = lap != self._lap and not self._mirrored
        self._lap = lap
        target = dict(zip(AXES, gesture.at(share * gesture.length_s), strict=True))
        events: list[Event] = []
        for name, axis in self._axes.items():
            if axis.touched(sample):
                self._had_it[name] = False
                continue
            rate_hz = self._clock.sample_rate_hz
            if not self._had_it[name] or jumped:
                axis.begin(sample, target[name], TAKE_OVER_S * rate_hz)
            elif seam:
                axis.begin(sample, target[name], SEAM_S * rate_hz)
            self._had_it[name] = True
            events.append(SetParameter(sample, name, axis.move(sample, target[name])))
        return events

    def _progress(self, gesture: Gesture, sample: int) -> tuple[int, float]:
        """Laps done, and the place in the gesture, 0..1."""
        if self._mode == LoopMode.BEATS:
            if self._clock.jumps != self._jumps:
                self._first_beat = 0.0
            # Begun a little early, it waits for its beat.
            beats = max(self._clock.beat_at(sample) - self._first_beat, 0.0)
            ways = beats * self._speed / self._beats
        elif gesture.length_s > 0.0:
            ways = (sample - self._began) / self._clock.sample_rate_hz * self._speed / gesture.length_s
        else:
            ways = 0.0
        if not self._mirrored:
            lap = math.floor(ways)
            return lap, ways - lap
        lap = math.floor(ways / 2.0)
        way = ways - 2.0 * lap
        return lap, way if way <= 1.0 else 2.0 - way
