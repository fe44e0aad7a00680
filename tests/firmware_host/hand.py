"""A hand on a board without a board: it makes the states that a panel takes, in a time of its own."""

from dataclasses import replace

from firmware_host.events import HELD_S, Knob, Switch
from firmware_host.messages import State
from firmware_host.panel import Panel
from synth.control.corners import Corner

AT_REST = State(0, (0, 0, 0, 0), 0, (0,) * 8, (512,) * 6, 0)


def with_one(values: tuple[int, ...], index: int, value: int) -> tuple[int, ...]:
    return (*values[:index], value, *values[index + 1 :])


class Hand:
    """now_s goes on by what each movement takes."""

    def __init__(self, panel: Panel) -> None:
        self.panel, self.state, self.now_s = panel, AT_REST, 100.0
        panel.hello(4)
        panel.state(self.state, self.now_s)

    def wait(self, seconds: float) -> tuple[int, ...]:
        """Nothing is touched. Returns what the LEDs show then."""
        self.now_s += seconds
        return self.panel.look(self.now_s)

    def turn(self, corner: Corner, detents: int) -> None:
        """Slowly, click by click."""
        for _ in range(abs(detents)):
            count = self.state.encoders[corner] + (4 if detents > 0 else -4)
            self._move(0.2, encoders=with_one(self.state.encoders, corner, count % 65536))

    def move(self, knob: Knob, *readings: int) -> None:
        """To one place after the other."""
        for reading in readings:
            self._move(0.02, knobs=with_one(self.state.knobs, knob, reading))

    def down(self, switch: Switch) -> None:
        self._edge(switch)

    def up(self, switch: Switch) -> None:
        self._edge(switch)

    def press(self, switch: Switch) -> None:
        self.down(switch)
        self.up(switch)

    def hold(self, switch: Switch) -> None:
        self.down(switch)
        self.wait(HELD_S + 0.05)
        self.up(switch)

    def _edge(self, switch: Switch) -> None:
        edges = with_one(self.state.switch_edges, switch, (self.state.switch_edges[switch] + 1) % 256)
        self._move(0.1, switch_edges=edges, switch_levels=self.state.switch_levels ^ 1 << switch)

    def _move(self, after_s: float, **values: object) -> None:
        self.now_s += after_s
        self.state = replace(self.state, **values)  # type: ignore[arg-type]
        self.panel.state(self.state, self.now_s)
