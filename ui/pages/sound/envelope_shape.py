"""Where an envelope's curve and handles are, and what a moved handle means. Pure: pixels and values, no Kivy.

From left to right: attack, decay, the held note, release, each as wide as its parameter's travel, so that 5 ms and 10 s
both can be aimed at. Upwards: the sustain parameter's travel, which is level in dB. Three rows keep the handles apart
where all times are 0: the attack's handle above the curve, the decay's on it, those of the release and of the start
position below.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from synth.control.parameters import Parameter

ATTACK, DECAY, RELEASE, START = "attack", "decay", "release", "position"
HANDLES = (START, ATTACK, DECAY, RELEASE)
MOVES: dict[str, tuple[str, ...]] = {
    START: ("position",),
    ATTACK: ("attack",),
    DECAY: ("decay", "sustain"),
    RELEASE: ("release",),
}
"""Handle -> the parameters that it sets; the decay's end is the sustain level."""
NEEDED = ("attack", "decay", "sustain", "release")
"""Without these there is no curve; an engine may lack the start position."""
SEGMENT, HELD, LEAST_RELEASE = 0.28, 0.12, 0.04
"""Shares of the width: each of the three times at its longest, the held note, the release at its shortest."""
SAMPLES = 24
"""Points of each bent part."""

Point = tuple[float, float]


@dataclass(frozen=True)
class EnvelopeShape:
    """The drawing's place in pixels, the side of a handle, and the parameters by their names."""

    left: float
    bottom: float
    width: float
    height: float
    touch: float
    parameters: Mapping[str, Parameter]

    @property
    def handles(self) -> tuple[str, ...]:
        """Those that the engine has parameters for."""
        return tuple(handle for handle in HANDLES if all(name in self.parameters for name in MOVES[handle]))

    @property
    def low(self) -> float:
        """Where the lowest level is drawn."""
        return self.bottom + 1.5 * self.touch

    @property
    def high(self) -> float:
        """Where full level is drawn."""
        return max(self.bottom + self.height - 1.5 * self.touch, self.low + 1.0)

    @property
    def key_up(self) -> float:
        """Where the key is let go."""
        return self._first + (2 * SEGMENT + HELD) * self._span

    @property
    def start_lane(self) -> tuple[float, float]:
        """From where to where the start position goes."""
        return self._first, max(self.key_up - self.touch, self._first + 1.0)

    @property
    def _first(self) -> float:
        return self.left + self.touch / 2.0

    @property
    def _span(self) -> float:
        return max(self.width - self.touch, 1.0)

    def _travel(self, name: str, values: Mapping[str, float]) -> float:
        parameter = self.parameters[name]
        return parameter.to_travel(values.get(name, parameter.default))

    def _height_of(self, level_db: float) -> float:
        return self.low + self.parameters["sustain"].to_travel(level_db) * (self.high - self.low)

    def place(self, handle: str, values: Mapping[str, float]) -> Point:
        """Centre of a handle."""
        above, below = self.bottom + self.height - self.touch / 2.0, self.bottom + self.touch / 2.0
        segment = SEGMENT * self._span
        if handle == START:
            low, high = self.start_lane
            return low + self._travel("position", values) * (high - low), below
        attack_end = self._first + self._travel("attack", values) * segment
        if handle == ATTACK:
            return attack_end, above
        if handle == DECAY:
            level_db = values.get("sustain", self.parameters["sustain"].default)
            return attack_end + self._travel("decay", values) * segment, self._height_of(level_db)
        return self._release_start + self._travel("release", values) * segment, below

    @property
    def _release_start(self) -> float:
        return self.key_up + LEAST_RELEASE * self._span

    def values_at(self, handle: str, x: float, y: float, values: Mapping[str, float]) -> dict[str, float]:
        """What a handle's parameters become with its centre at x, y: the nearest that they can be."""
        segment = SEGMENT * self._span
        if handle == START:
            low, high = self.start_lane
            travels = {"position": (x - low) / (high - low)}
        elif handle == ATTACK:
            travels = {"attack": (x - self._first) / segment}
        elif handle == DECAY:
            attack_end = self.place(ATTACK, values)[0]
            travels = {"decay": (x - attack_end) / segment, "sustain": (y - self.low) / (self.high - self.low)}
        else:
            travels = {"release": (x - self._release_start) / segment}
        return {name: self.parameters[name].from_travel(travel) for name, travel in travels.items()}

    def curve(self, values: Mapping[str, float]) -> list[Point]:
        """The level of a held note and after it, from left to right.

        The attack is linear in amplitude and the decay linear in dB, as in synth/voices/envelope.py, bent by the
        axis of time. The release is a straight line to the lowest level: each recording has its own.
        """
        sustain_db = values.get("sustain", self.parameters["sustain"].default)
        points: list[Point] = [(self._first, self.low)]
        attack_end, decay_end = self.place(ATTACK, values)[0], self.place(DECAY, values)[0]
        if attack_end > self._first:
            for share, along in self._bent("attack", values):
                level_db = 20.0 * math.log10(share) if share > 0.0 else -math.inf
                height = self._height_of(level_db) if math.isfinite(level_db) else self.low
                points.append((self._first + along * (attack_end - self._first), height))
        points.append((attack_end, self._height_of(0.0)))
        for share, along in self._bent("decay", values):
            points.append((attack_end + along * (decay_end - attack_end), self._height_of(share * sustain_db)))
        points.append((max(self.key_up, decay_end), self._height_of(sustain_db)))
        points.append((self.place(RELEASE, values)[0], self.low))
        return points

    def _bent(self, name: str, values: Mapping[str, float]) -> list[tuple[float, float]]:
        """(share of the time that is over, share of the way on the axis), each from 0 to 1."""
        parameter, travel = self.parameters[name], self._travel(name, values)
        start, end = parameter.from_travel(0.0), parameter.from_travel(travel)
        if end <= start:
            return [(1.0, 1.0)]
        ways = [step / SAMPLES for step in range(1, SAMPLES + 1)]
        return [((parameter.from_travel(way * travel) - start) / (end - start), way) for way in ways]
