"""Fingers on the surface: who leads the point, what a tap is, where a flick goes. Pure: no Kivy, no clock of its own.

The first finger leads; when it leaves, the one that came next does, and the point goes to it. A finger that leaves in
motion is a flick: the point glides on with its speed, friction brings it to rest, and an edge stops it. Two taps at one
place let it glide to the middle. Places are shares 0..1 of the surface, x from west to east, y from south to north;
times are seconds of any clock that doesn't go back.
"""

import math
from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

TAP_S, TAP_MM = 0.25, 3.0
DOUBLE_TAP_S, DOUBLE_TAP_MM = 0.35, 9.0
FLICK_WINDOW_S = 0.08
"""A flick's speed is that of the last 80 ms: shorter is a touch panel's jitter, longer remembers the way there."""
FLICK_LEAST_MM_S = 80.0
FRICTION_S = 0.3
"""Time in which a glide's speed falls to 37 %; it goes this long times its first speed in all."""
CENTRING_S = 0.09
ARRIVED = 0.002
"""Of the surface: a third of a millimetre on a 7-inch screen."""
LEAST_PERIOD_S = 1.0 / 200.0
"""Between two points: a mouse tells of itself 1000 times a second, the engine's control runs at 250 Hz."""
SILENT_S = 20.0
"""A finger that has said nothing for so long, when another comes, was lost with its panel."""


class Point(NamedTuple):
    """A place to send. touching: a finger is there."""

    x: float
    y: float
    touching: bool


class Ending(NamedTuple):
    """A finger has left. point: what to send, if anything. led: it led. tap, double_tap: it was one."""

    point: Point | None
    led: bool
    tap: bool
    double_tap: bool


@dataclass
class Finger:
    """A finger that is down, where it is and where it was in the last moments, (s, x, y)."""

    x: float
    y: float
    began_x: float
    began_y: float
    began_s: float
    heard_s: float
    moved: bool = False
    way: deque[tuple[float, float, float]] = field(default_factory=lambda: deque(maxlen=32))


@dataclass(frozen=True)
class Glide:
    """A way to rest: from `start` towards `target`, the distance falling to 37 % in `settle_s`; edges stop it."""

    start: tuple[float, float]
    target: tuple[float, float]
    settle_s: float
    began_s: float

    def at(self, now_s: float) -> tuple[float, float]:
        """Where it is, (x, y), each 0..1; exactly the end of its way once it has arrived."""
        since_s = now_s - self.began_s
        x, y = (clamp(approach(a, b, self.settle_s, since_s)) for a, b in zip(self.start, self.target, strict=True))
        end_x, end_y = self.end
        return (end_x, end_y) if max(abs(x - end_x), abs(y - end_y)) < ARRIVED else (x, y)

    @property
    def end(self) -> tuple[float, float]:
        """Where it comes to rest."""
        return clamp(self.target[0]), clamp(self.target[1])


def approach(start: float, target: float, settle_s: float, since_s: float) -> float:
    """Along either axis, or of a wheel: where friction has let it come after `since_s`."""
    return target + (start - target) * math.exp(-max(since_s, 0.0) / settle_s)


def clamp(value: float, least: float = 0.0, most: float = 1.0) -> float:
    """The nearest value from `least` to `most`."""
    return min(max(value, least), most)


def share_of(position_px: float, start_px: float, length_px: float, inset_px: float) -> float:
    """Where a pixel is along either axis of the surface, 0..1. The ends lie `inset_px` inside, so that a finger on a
    screen with a frame reaches them."""
    return clamp((position_px - start_px - inset_px) / max(length_px - 2.0 * inset_px, 1.0))


def pixel_of(share: float, start_px: float, length_px: float, inset_px: float) -> float:
    """The other way round."""
    return start_px + inset_px + share * max(length_px - 2.0 * inset_px, 1.0)


class Touches:
    """All fingers of one surface. width_mm, height_mm: how large it is, for what a tap and a flick are."""

    def __init__(self, width_mm: float = 154.0, height_mm: float = 86.0) -> None:
        self.width_mm, self.height_mm = width_mm, height_mm
        self.glide: Glide | None = None
        self._fingers: dict[Hashable, Finger] = {}
        self._sent_s = -math.inf
        self._sent: Point | None = None
        self._last_tap: tuple[float, float, float] | None = None

    def __iter__(self) -> Iterator[Finger]:
        return iter(self._fingers.values())

    def __contains__(self, number: Hashable) -> bool:
        return number in self._fingers

    def __len__(self) -> int:
        return len(self._fingers)

    @property
    def leader(self) -> Finger | None:
        """The finger that the point follows."""
        return next(iter(self._fingers.values()), None)

    @property
    def restless(self) -> bool:
        """`step` will have something to send."""
        leader = self.leader
        if leader is None:
            return self.glide is not None
        return Point(leader.x, leader.y, True) != self._sent

    def down(self, number: Hashable, x: float, y: float, now_s: float) -> Point | None:
        """A finger comes; gives what to send."""
        for lost in [one for one, finger in self._fingers.items() if now_s - finger.heard_s > SILENT_S]:
            del self._fingers[lost]
        finger = Finger(x, y, x, y, now_s, now_s)
        finger.way.append((now_s, x, y))
        self._fingers[number] = finger
        self.glide = None
        return self._send(now_s, at_once=True) if self.leader is finger else None

    def move(self, number: Hashable, x: float, y: float, now_s: float) -> Point | None:
        """A finger moves; gives what to send now: nothing for one that doesn't lead, or less than 5 ms after the last
        (then `step` has it)."""
        finger = self._fingers.get(number)
        if finger is None:
            return None
        finger.x, finger.y, finger.heard_s = x, y, now_s
        finger.way.append((now_s, x, y))
        finger.moved = finger.moved or self._mm(x - finger.began_x, y - finger.began_y) > TAP_MM
        return self._send(now_s) if self.leader is finger else None

    def up(self, number: Hashable, now_s: float, may_glide: bool = True) -> Ending:
        """A finger leaves. may_glide: a flick goes on (not while a gesture plays, which is waiting to)."""
        finger = self._fingers.get(number)
        if finger is None:
            return Ending(None, False, False, False)
        led = self.leader is finger
        del self._fingers[number]
        tap = not finger.moved and now_s - finger.began_s <= TAP_S
        double = tap and self._is_second_tap(finger, now_s)
        if not led:
            return Ending(None, False, tap, double)
        if self._fingers:
            return Ending(self._send(now_s, at_once=True), True, tap, double)
        self._sent, self._sent_s = Point(finger.x, finger.y, False), now_s
        if double:
            self.glide = Glide((finger.x, finger.y), (0.5, 0.5), CENTRING_S, now_s)
        elif may_glide:
            self.glide = self._flick(finger, now_s)
        return Ending(self._sent, True, tap, double)

    def lose_all(self) -> Point | None:
        """No finger is there any more, whatever was heard of them: the window is gone, another page came."""
        last, self.glide = self.leader, None
        self._fingers.clear()
        return None if last is None else Point(last.x, last.y, False)

    def step(self, now_s: float) -> Point | None:
        """Once a frame: what a glide, or a finger that was too quick for `move`, has to send."""
        if self._fingers:
            return self._send(now_s)
        if self.glide is None:
            return None
        x, y = self.glide.at(now_s)
        if (x, y) == self.glide.end:
            self.glide = None
        point = Point(x, y, False)
        if point == self._sent:
            return None
        self._sent, self._sent_s = point, now_s
        return point

    def _send(self, now_s: float, at_once: bool = False) -> Point | None:
        finger = self.leader
        if finger is None or (not at_once and now_s - self._sent_s < LEAST_PERIOD_S):
            return None
        point = Point(finger.x, finger.y, True)
        if point == self._sent:
            return None
        self._sent, self._sent_s = point, now_s
        return point

    def _is_second_tap(self, finger: Finger, now_s: float) -> bool:
        """Of two at one place; the third one begins anew."""
        before, self._last_tap = self._last_tap, (now_s, finger.x, finger.y)
        if before is None:
            return False
        second = finger.began_s - before[0] <= DOUBLE_TAP_S
        second = second and self._mm(finger.x - before[1], finger.y - before[2]) <= DOUBLE_TAP_MM
        if second:
            self._last_tap = None
        return second

    def _flick(self, finger: Finger, now_s: float) -> Glide | None:
        recent = [place for place in finger.way if now_s - place[0] <= FLICK_WINDOW_S]
        if len(recent) < 2 or not finger.moved:
            return None
        since_s = max(now_s - recent[0][0], 1e-3)
        speed_x, speed_y = (finger.x - recent[0][1]) / since_s, (finger.y - recent[0][2]) / since_s
        if self._mm(speed_x, speed_y) < FLICK_LEAST_MM_S:
            return None
        target = finger.x + speed_x * FRICTION_S, finger.y + speed_y * FRICTION_S
        return Glide((finger.x, finger.y), target, FRICTION_S, now_s)

    def _mm(self, x: float, y: float) -> float:
        return math.hypot(x * self.width_mm, y * self.height_mm)
