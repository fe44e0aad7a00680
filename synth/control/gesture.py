"""A gesture: a finger's way over the surface, recorded and kept. `gesture_player` plays it.

A gesture is the points of a `tetrad-path` (synth/surface_path.py says what its file holds): the first at 0 s, the last
where the recording was stopped, straight lines between. The recorder thins them as they come, so that no moment is
further than 0.001 of the surface from what was played: less than a pixel of a screen 800 wide, and 0.009 dB between
corners 9 dB apart. Five minutes at most are kept, which are 37,500 points at worst and some hundreds as a rule.
"""

import bisect
import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

from synth.control.events import Event, SetParameter
from synth.errors import TetradError
from synth.frames import FRAME_RATE_HZ
from synth.surface_path import FORMAT, VERSION, PathPoint

LONGEST_S = 300.0
TOLERANCE = 0.001
AXES = ("x", "y")
_REST_S = 3.0 / FRAME_RATE_HZ  # a finger silent for so long stood still; a touch screen sends every 8 to 17 ms


@dataclass(frozen=True)
class Gesture:
    """A finished way: points with rising times, the first at 0 s; x and y 0..1. At least one."""

    points: tuple[PathPoint, ...]

    def __post_init__(self) -> None:
        times = [point.time_s for point in self.points]
        if not times or times[0] < 0.0 or any(b <= a for a, b in itertools.pairwise(times)):
            raise TetradError(f"A gesture of {len(times)} points was given; expected one or more, with rising times.")

    @property
    def length_s(self) -> float:
        """From the beginning to the last point."""
        return self.points[-1].time_s

    def at(self, time_s: float) -> tuple[float, float]:
        """Where the finger is, (x, y), each 0..1; before the first point at the first, after the last at the last."""
        after = bisect.bisect_right(self.points, time_s, key=lambda point: point.time_s)
        if after == 0:
            return self.points[0].x, self.points[0].y
        a = self.points[after - 1]
        if after == len(self.points):
            return a.x, a.y
        b = self.points[after]
        share = (time_s - a.time_s) / (b.time_s - a.time_s)
        return a.x + share * (b.x - a.x), a.y + share * (b.y - a.y)

    def to_json(self) -> dict[str, object]:
        """The content of a `tetrad-path` file, which `surface_path.read_path` reads."""
        points = [{"time_s": round(t, 6), "x": round(x, 4), "y": round(y, 4)} for t, x, y in self.points]
        return {"format": FORMAT, "version": VERSION, "points": points}


class GestureRecorder:
    """Listens to the parameters x and y."""

    def __init__(self, sample_rate_hz: int, x: float = 0.5, y: float = 0.5) -> None:
        """x, y: where the finger is before it moved for the first time."""
        self._sample_rate_hz = sample_rate_hz
        self._place = [x, y]
        self._began: int | None = None
        self._points: list[PathPoint] = []
        self._last = PathPoint(0.0, x, y)  # kept, not yet known to be a corner of the way
        self._newest = self._last  # may still get another x or y of the same moment
        self._cone = _open_cone()

    @property
    def recording(self) -> bool:
        return self._began is not None

    def start(self, sample: int) -> None:
        """A new recording begins here; one that runs is forgotten."""
        self._began = sample
        self._newest = self._last = PathPoint(0.0, self._place[0], self._place[1])
        self._points = []

    def feed(self, events: Iterable[Event]) -> None:
        """Take note of what moves the finger; after five minutes nothing more is recorded."""
        for event in events:
            if isinstance(event, SetParameter) and event.name in AXES:
                self._place[AXES.index(event.name)] = event.value
                if self._began is not None:
                    time_s = (event.time_samples - self._began) / self._sample_rate_hz
                    if time_s < LONGEST_S:
                        self._take(time_s)

    def is_full(self, sample: int) -> bool:
        """Whether the five minutes are over: time to stop."""
        return self._began is not None and sample - self._began >= LONGEST_S * self._sample_rate_hz

    def stop(self, sample: int) -> Gesture:
        """The gesture from `start` to here. TetradError when nothing is being recorded."""
        if self._began is None:
            raise TetradError("No gesture is being recorded; expected one; start it first.")
        self._keep(self._newest)
        length_s = min((sample - self._began) / self._sample_rate_hz, LONGEST_S)
        self._keep(PathPoint(max(length_s, self._last.time_s + 1.0 / FRAME_RATE_HZ), self._last.x, self._last.y))
        self._points.append(self._last)
        self._began = None
        return Gesture(tuple(self._points))

    def _take(self, time_s: float) -> None:
        if time_s > self._newest.time_s:
            self._keep(self._newest)
            self._newest = PathPoint(time_s, self._place[0], self._place[1])
        else:  # x and y of one movement come as two events of one time
            self._newest = PathPoint(self._newest.time_s, self._place[0], self._place[1])

    def _keep(self, point: PathPoint) -> None:
        """A place that will change no more, and before it the rest of a finger that stood still."""
        if not self._points:
            self._points, self._last, self._cone = [point], point, _open_cone()
            return
        if point.time_s - self._last.time_s > _REST_S:
            self._add(PathPoint(point.time_s - 1.0 / FRAME_RATE_HZ, self._last.x, self._last.y))
        self._add(point)

    def _add(self, point: PathPoint) -> None:
        """Thin by a cone: the way from the last corner straight to `point` must pass all between within TOLERANCE."""
        corner = self._points[-1]
        span_s = point.time_s - corner.time_s
        slopes = [(to - at) / span_s for to, at in zip(point[1:], corner[1:], strict=True)]
        if all(low <= slope <= high for slope, (low, high) in zip(slopes, self._cone, strict=True)):
            margin = TOLERANCE / span_s
            self._cone = [
                (max(low, slope - margin), min(high, slope + margin))
                for slope, (low, high) in zip(slopes, self._cone, strict=True)
            ]
            self._last = point
            return
        self._points.append(self._last)
        self._cone = _open_cone()
        self._add(point)


def _open_cone() -> list[tuple[float, float]]:
    return [(-math.inf, math.inf), (-math.inf, math.inf)]
