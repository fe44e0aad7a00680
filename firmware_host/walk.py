"""A maker's walk through every control: what is to be done next, and what was wrong with what came. Pure."""

from dataclasses import dataclass

from firmware_host.events import Event, Knob, KnobMoved, KnobNoisy, Pressed, Stuck, Switch, Turned
from synth.control.corners import Corner

DETENTS = 4
"""To be turned: one could come from a touch."""
PLACES = {
    Corner.NW: "top left",
    Corner.NE: "top right",
    Corner.SW: "bottom left",
    Corner.SE: "bottom right",
}


@dataclass(frozen=True)
class Step:
    """control: a Corner is to be turned clockwise, a Switch to be pressed, a Knob to be turned to both ends. led: that
    shines meanwhile, 0 to 3; None: none."""

    control: Corner | Switch | Knob
    instruction: str
    led: int | None = None


def steps() -> tuple[Step, ...]:
    """All, in order: each control once."""
    turns = (Step(c, f"Turn the encoder {PLACES[c]} clockwise, by {DETENTS} clicks or more.") for c in Corner)
    pushes = (Step(Switch(c), f"Push the encoder {PLACES[c]}.") for c in Corner)
    knobs = (Step(k, f"Turn the knob {k.name.lower()} to its left end, and to its right end.") for k in Knob)
    buttons = (
        Step(Switch(4 + n), f"Press patch button {n + 1}: its light, and no other, shines.", n) for n in range(4)
    )
    return (*turns, *pushes, *knobs, *buttons)


class Walk:
    """Give it each event; it tells what to say, and goes on when a step is done."""

    def __init__(self) -> None:
        self._steps = steps()
        self._at = 0
        self._turned = 0
        self._ends: set[float] = set()
        self.remarks: list[str] = []
        """What was found wrong, each once."""

    @property
    def step(self) -> Step | None:
        """What is to be done now; None: all was."""
        return self._steps[self._at] if self._at < len(self._steps) else None

    def skip(self) -> str:
        """This one does not work: go on. What is to be said of it."""
        step = self.step
        if step is None:
            return ""
        self._next()
        return self._remark(f"nothing came of: {step.instruction} Look at its wires, and at the board's pins.")

    def take(self, event: Event) -> str:  # noqa: PLR0911 - a list of what can happen
        """What is to be said of an event; empty: nothing."""
        step = self.step
        match event:
            case _ if step is None:
                return ""
            case Stuck(switch=switch):
                return self._remark(f"{_name(switch)} is down all the time; it may be wired to ground; look at it")
            case KnobNoisy(knob=knob):
                return self._remark(f"{_name(knob)} trembles; look at its wiper, and at its 100 nF")
            case Turned(encoder=control, detents=detents) if control is step.control and detents < 0:
                self._turned = 0
                return self._remark(
                    f"{_name(control)} turns the wrong way; swap its outer wires, or write into board.toml: "
                    f'[reversed] encoders = ["{control.name.lower()}"]'
                )
            case Turned(encoder=control, detents=detents) if control is step.control:
                self._turned += detents
                return self._done() if self._turned >= DETENTS else ""
            case Pressed(switch=control) if control is step.control:
                return self._done()
            case KnobMoved(knob=control, value=value) if control is step.control:
                self._ends |= {value} & {0.0, 1.0}
                return self._done() if len(self._ends) == 2 else ""
            case Turned(encoder=control) | Pressed(switch=control) | KnobMoved(knob=control):
                expected = _name(step.control)
                return self._remark(f"that was {_name(control)}, and {expected} was expected; are their wires swapped?")
        return ""

    def _done(self) -> str:
        step = self.step
        self._next()
        return "" if step is None else f"{_name(step.control)}: right."

    def _next(self) -> None:
        self._at, self._turned, self._ends = self._at + 1, 0, set()

    def _remark(self, words: str) -> str:
        if words in self.remarks:
            return ""
        self.remarks.append(words)
        return words


def _name(control: Corner | Switch | Knob) -> str:
    match control:
        case Corner():
            return f"the encoder {PLACES[control]}"
        case Knob():
            return f"the knob {control.name.lower()}"
        case Switch() if control < Switch.PATCH_1:
            return f"the push of the encoder {PLACES[Corner(control)]}"
        case _:
            return f"patch button {control - Switch.PATCH_1 + 1}"
