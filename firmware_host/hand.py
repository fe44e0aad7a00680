"""A scripted hand: lines of text to what happens to a simulated board, and when. Pure.

    turn nw 3            three detents clockwise at once; -3: counter-clockwise
    turn se 24 in 1.5    spread over 1.5 s
    press 1              patch button 1 goes down (or nw, ne, sw, se: that encoder's push)
    release 1
    tap 2                down for 60 ms
    hold 4               down for 0.8 s
    knob attack 0.75 in 0.2
    wait 0.5
    unplug 1             pull the cable out for a second
    reset                the board starts anew

A `#` begins a comment. What follows `turn ... in` and `knob ... in` begins when that has ended.
"""

from dataclasses import dataclass

from firmware_host.messages import HIGHEST_KNOB
from firmware_host.simulated_board import COUNTS_PER_DETENT
from synth.errors import TetradError

ENCODERS = ("nw", "ne", "sw", "se")
SWITCHES = (*ENCODERS, "1", "2", "3", "4")
KNOBS = ("position", "attack", "decay", "sustain", "release", "volume")
TAP_S, HOLD_S = 0.06, 0.8
KNOB_STEP_S = 0.01


class ScriptError(TetradError):
    """A line that says nothing which a hand can do."""


@dataclass(frozen=True, slots=True)
class Move:
    """At `at_s` from the start: `kind` "turn" (number, counts), "press", "release" (number), "knob" (number, value),
    "unplug", "plug", "reset", or "end" (nothing more happens)."""

    at_s: float
    kind: str
    number: int = 0
    value: float = 0.0


def moves(script: str) -> list[Move]:
    """The script's moves in the order of their times. Raises ScriptError with the line."""
    found: list[Move] = []
    at_s = 0.0
    positions = [0.5] * len(KNOBS)
    for row, line in enumerate(script.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            made, lasts_s = _line(words, at_s, positions)
        except (ValueError, IndexError):
            raise ScriptError(
                f"line {row} of the hand's script is {line.strip()!r}; "
                "turn, press, release, tap, hold, knob, wait, unplug or reset with its values was expected; correct it"
            ) from None
        found += made
        at_s += lasts_s
    return [*found, Move(at_s, "end")]


def _line(  # noqa: PLR0911 - a list of words
    words: list[str], at_s: float, positions: list[float]
) -> tuple[list[Move], float]:
    """Moves of one line, and how long it lasts. Raises ValueError or IndexError."""
    match words:
        case ["turn", name, detents, *rest]:
            number, counts, in_s = ENCODERS.index(name), round(float(detents) * COUNTS_PER_DETENT), _duration(rest)
            way = 1 if counts > 0 else -1
            n = abs(counts)
            return [Move(at_s + in_s * (k + 1) / n, "turn", number, way) for k in range(n)], in_s
        case ["press" | "release" as kind, name]:
            return [Move(at_s, kind, SWITCHES.index(name))], 0.0
        case ["tap" | "hold" as kind, name]:
            down_s = TAP_S if kind == "tap" else HOLD_S
            number = SWITCHES.index(name)
            return [Move(at_s, "press", number), Move(at_s + down_s, "release", number)], down_s
        case ["knob", name, position, *rest]:
            number, goal, in_s = KNOBS.index(name), _within(float(position), 1.0), _duration(rest)
            start, positions[number] = positions[number], goal
            n = max(round(in_s / KNOB_STEP_S), 1)
            steps = ((k / n, start + (goal - start) * k / n) for k in range(1, n + 1))
            return [Move(at_s + in_s * part, "knob", number, round(HIGHEST_KNOB * to)) for part, to in steps], in_s
        case ["wait", seconds]:
            return [], _within(float(seconds), 3600.0)
        case ["unplug", seconds]:
            away_s = _within(float(seconds), 3600.0)
            return [Move(at_s, "unplug"), Move(at_s + away_s, "plug")], away_s
        case ["reset"]:
            return [Move(at_s, "reset")], 0.0
    raise ValueError


def _duration(words: list[str]) -> float:
    match words:
        case []:
            return 0.0
        case ["in", seconds]:
            return _within(float(seconds), 3600.0)
    raise ValueError


def _within(value: float, highest: float) -> float:
    if not 0.0 <= value <= highest:
        raise ValueError
    return value
