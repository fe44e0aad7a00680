"""Fingers that touch anything, in any way, for as long as one likes: no exception, and an engine that lives.

    python -m benchmarks.monkey --minutes 10 [--seed 7] [--sizes 800x480 320x240]

Taps, long presses, drags, flicks, double taps and ten fingers at once, all over a screen that
is drawn in memory beside a real engine. What goes wrong ends it with the seed and the trouble.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.ui.engine import EngineProcess
from tests.ui.screen import Screen

LOOK_EVERY = 20
MOST_FINGERS = 10


class Monkey:
    """Touches a screen. chance: where, when and how."""

    def __init__(self, screen: Screen, chance: random.Random) -> None:
        self.screen, self._panel, self._chance = screen, screen.panel, chance
        self.touches = 0

    def act(self) -> None:
        """One thing that fingers do."""
        acts: list[Callable[[], None]] = [self._tap] * 6
        acts += [self._double_tap, self._long_press, self._drag, self._flick, self._many, self._known, self._known]
        self._chance.choice(acts)()
        time.sleep(self._chance.choice((0.0, 0.01, 0.05)))

    def _place(self) -> tuple[float, float]:
        """Anywhere, the outermost points of the panel often."""
        return self._side(), self._side()

    def _side(self) -> float:
        return self._chance.choice((0.0, 1.0)) if self._chance.random() < 0.05 else self._chance.random()

    def _tap(self) -> None:
        self._panel.tap(*self._place(), self._chance.choice((0.0, 0.02, 0.06)))
        self.touches += 1

    def _double_tap(self) -> None:
        place = self._place()
        for _ in range(2):
            self._panel.tap(*place, 0.03)
            time.sleep(0.05)
        self.touches += 2

    def _long_press(self) -> None:
        self._panel.tap(*self._place(), 0.8)
        self.touches += 1

    def _drag(self) -> None:
        self._panel.swipe(self._place(), self._place(), self._chance.uniform(0.1, 0.6))
        self.touches += 1

    def _flick(self) -> None:
        self._panel.swipe(self._place(), self._place(), 0.05)
        self.touches += 1

    def _many(self) -> None:
        fingers = [self._panel.put(*self._place()) for _ in range(self._chance.randint(2, MOST_FINGERS))]
        for _ in range(self._chance.randint(0, 8)):
            self._panel.move(self._chance.choice(fingers), *self._place())
            time.sleep(0.01)
        self._chance.shuffle(fingers)
        for finger in fingers:
            self._panel.lift(finger)
        self.touches += len(fingers)

    def _known(self) -> None:
        """Something that is there to be touched: at random places it is seldom hit."""
        seen = [one for one in self.screen.widgets() if "Button" in one.known["class"] or one.known.get("icon")]
        if seen:
            self._panel.tap(*self._chance.choice(seen).place)
            self.touches += 1


def let_loose(screen: Screen, engine: EngineProcess, chance: random.Random, seconds: float) -> int:
    """Touch for so long; AssertionError when the screen is in trouble or the engine is not alive. Returns touches."""
    monkey = Monkey(screen, chance)
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        for _ in range(LOOK_EVERY):
            monkey.act()
            if time.monotonic() >= end_s:
                break
        assert screen.alive, "the screen ended"
        assert not screen.troubles, "\n".join(screen.troubles)
        assert engine.alive, "the engine ended"
    screen.panel.lift_all()
    return monkey.touches


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="in all (default %(default)g)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--sizes", nargs="+", default=["800x480", "480x800", "320x240"], help="windows, in turns")
    args = parser.parse_args()
    touches = 0
    with tempfile.TemporaryDirectory(prefix="tetrad-") as folder, EngineProcess(Path(folder)) as engine:
        engine.start()
        for turn, words in enumerate(args.sizes):
            width, height = map(int, words.split("x"))
            screen = Screen(Path(folder), size=(width, height))
            screen.start()
            try:
                seconds = 60.0 * args.minutes / len(args.sizes)
                touches += let_loose(screen.connected(), engine, random.Random(args.seed + turn), seconds)
            finally:
                screen.close()
            if screen.troubles:
                raise SystemExit(f"seed {args.seed}, {words}:\n" + "\n".join(screen.troubles))
    print(f"{touches} touches in {args.minutes:g} minutes, seed {args.seed}: no exception, and the engine lives")


if __name__ == "__main__":
    main()
