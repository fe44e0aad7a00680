"""Hands of a soak that need no knowledge of the engine: keys and wheels by MIDI bytes, fingers, and a board's owner.

Each is a `Player`: `play` goes on until it is told to stop, `let_go` leaves nothing down. All of it follows a seed, but
not when something happens: that is the machine's.
"""

import os
import random
import threading
import time
import tty
from collections import Counter
from functools import partial
from typing import Protocol

from benchmarks.soaking.window import Window, WindowGoneError
from firmware_host.events import HELD_S
from firmware_host.simulate import PtyBoard
from firmware_host.simulated_board import COUNTS_PER_DETENT, SimulatedBoard
from tests.ui.screen import Seen

CONTROLLERS = (1, 5, 10, 16, 17, 18, 19, 64, 66, 72, 73, 74, 75, 76, 91, 93, 94, 95)
"""Wheel, pedals, and those that the table of parameters names."""
PEDALS = (64, 66)
CHANNELS = (0, 1)
MOST_KEYS_DOWN = 10
PAGES = ("play", "instruments", "sound", "patches", "settings")
MOST_FINGERS = 5
SIZE = (800, 480)
"""Of the screen's window when nobody asks for another, px."""
PLAYED = ("Surface", "Keyboard")
"""Classes of the widgets that are played on."""
Area = tuple[float, float, float, float]
"""Left, top, right and bottom of a part of the panel, 0..1."""


class Player(Protocol):
    """One who plays. counts: what was done, by kind, since the start."""

    counts: Counter[str]

    def play(self, over: threading.Event) -> None: ...
    def let_go(self) -> None: ...


class Keyboard:
    """A keyboard with a wheel, pedals and knobs on a 5-pin DIN line: bytes on a pseudo-terminal, with running status
    and real-time bytes between others. device: for `tetrad play --din`. A context manager."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)  # bytes, not lines
        os.set_blocking(self._master, False)
        self.device = os.ttyname(self._slave)
        self._status = 0
        self._down: dict[tuple[int, int], float] = {}  # channel and key -> when it goes up
        self.counts: Counter[str] = Counter()

    def __enter__(self) -> "Keyboard":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._master)
        os.close(self._slave)

    def play(self, over: threading.Event) -> None:
        """Keys, controllers, bends, now and then another patch."""
        while not over.wait(self._chance.uniform(0.005, 0.06)):
            now_s = time.monotonic()
            for channel, key in [place for place, until_s in self._down.items() if until_s <= now_s]:
                self._up(channel, key)
            kind = self._chance.random()
            channel = self._chance.choice(CHANNELS)
            if kind < 0.4 and len(self._down) < MOST_KEYS_DOWN:
                key = self._chance.randrange(30, 96)
                self._send(0x90 | channel, key, self._chance.randrange(1, 128))
                self._down[channel, key] = now_s + self._chance.expovariate(1.5)
                self.counts["notes"] += 1
            elif kind < 0.7:
                self._send(0xB0 | channel, self._chance.choice(CONTROLLERS), self._chance.randrange(128))
            elif kind < 0.8:
                self._send(0xE0 | channel, self._chance.randrange(128), self._chance.randrange(128))
            elif kind < 0.9:
                self._send(0xD0 | channel, self._chance.randrange(128))
            elif kind < 0.91:
                self._send(0xC0 | channel, self._chance.randrange(12))
                self.counts["programs"] += 1
            else:
                self._write(bytes((0xFE,)))  # active sensing, as instruments send it between other bytes

    def let_go(self) -> None:
        """Keys and pedals up, wheel and bend at rest."""
        for channel, key in list(self._down):
            self._up(channel, key)
        for channel in CHANNELS:
            for pedal in PEDALS:
                self._send(0xB0 | channel, pedal, 0)
            self._send(0xB0 | channel, 1, 0)
            self._send(0xE0 | channel, 0, 64)

    def _up(self, channel: int, key: int) -> None:
        del self._down[channel, key]
        if self._chance.random() < 0.5:
            self._send(0x90 | channel, key, 0)
        else:
            self._send(0x80 | channel, key, self._chance.randrange(128))

    def _send(self, status: int, *data: int) -> None:
        """As short as the standard allows: without the status byte where it is that of before."""
        self._write(bytes(data) if status == self._status else bytes((status, *data)))
        self._status = status

    def _write(self, data: bytes) -> None:
        """All of it: of a message that is cut off, the rest would be another's. Waits where the line is full."""
        while data:
            try:
                data = data[os.write(self._master, data) :]
            except BlockingIOError:
                self.counts["waits"] += 1
                time.sleep(0.01)
        self.counts["messages"] += 1


class Fingers:
    """Swipes over the surface and the keys, with up to five fingers, and ways through the pages, which are scrolled.

    Nothing is tapped but the surface, the keys and the ways to the pages: what a tap does elsewhere (remove, switch
    inputs off, close) would be told from what went wrong by nobody.
    """

    def __init__(self, window: Window, chance: random.Random) -> None:
        self._window, self._panel, self._chance = window, window.panel, chance
        self.counts: Counter[str] = Counter()

    def play(self, over: threading.Event) -> None:
        """Some seconds on a page, then on another, the surface's every second time."""
        while not over.is_set():
            try:
                page = self._go("play" if self._chance.random() < 0.6 else self._chance.choice(PAGES))
                areas = self._areas(page)
            except WindowGoneError:
                self.counts["no screen"] += 1
                over.wait(0.5)
                continue
            for _ in range(self._chance.randrange(3, 12)):
                if over.is_set():
                    break
                if page == "play":
                    self._swipe(self._chance.choice(areas))
                else:
                    self._scroll(self._chance.choice(areas))

    def show_keys(self) -> None:
        """The strip of keys below the surface, which a first start has not."""
        for button in self._window.widgets(**{"class": "BarButton", "icon": "keys"}):
            if not button.known.get("active"):
                self._panel.tap(*button.place)

    def let_go(self) -> None:
        """No finger is down, and the surface's page is shown."""
        self._panel.lift_all()
        try:
            self._go("play")
        except WindowGoneError:
            self.counts["no screen"] += 1
        self._panel.report([])  # once more, as panels do: a packet may have been lost

    def _go(self, page: str) -> str:
        """Tap the way to a page; the page that is shown then."""
        ways = self._window.widgets(**{"class": "RailButton", "page": page})
        if ways:
            self._panel.tap(*ways[-1].place)
            self.counts["taps"] += 1
            time.sleep(0.1)
        shown: str = self._window.ask("page")
        return shown

    def _areas(self, page: str) -> list[Area]:
        """Where swipes begin and end on a page: what plays, or the middle of what is scrolled."""
        if page != "play":
            return [(0.3, 0.3, 0.85, 0.85)]
        playing = [one for one in self._window.widgets() if one.known["class"] in PLAYED]
        return [self._inside(one) for one in playing] or [(0.3, 0.2, 0.7, 0.6)]

    def _inside(self, seen: Seen) -> Area:
        """Its rectangle on the panel, without a tenth at each side: fingers that slip off are another's."""
        (x, y), (width, height) = seen.place, seen.size_px
        across, down = 0.4 * width / SIZE[0], 0.4 * height / SIZE[1]
        return (x - across, y - down, x + across, y + down)

    def _swipe(self, area: Area) -> None:
        left, top, right, bottom = area

        def place() -> tuple[float, float]:
            return self._chance.uniform(left, right), self._chance.uniform(top, bottom)

        n = 1 if self._chance.random() < 0.6 else self._chance.randrange(2, MOST_FINGERS + 1)
        fingers = [self._panel.put(*place()) for _ in range(n)]
        for _ in range(self._chance.randrange(1, 4)):
            self._panel.drag(self._chance.choice(fingers), place(), self._chance.uniform(0.05, 0.6))
        self._chance.shuffle(fingers)
        self._panel.lift(*fingers)
        self.counts["swipes"] += n

    def _scroll(self, area: Area) -> None:
        """From one end of a page to the other: a finger that hardly moved would be a tap, on a patch's bin perhaps."""
        left, top, right, bottom = area
        across = self._chance.uniform(left, right)
        begin, end = self._chance.choice(((top, bottom), (bottom, top)))
        finger = self._panel.put(across, begin)
        self._panel.drag(finger, (across, end), self._chance.uniform(0.05, 0.2))
        self._panel.lift(finger)
        self.counts["scrolls"] += 1


class Hand:
    """Turns, pushes and presses on a simulated board, and pulls its cable out now and then."""

    def __init__(self, board: PtyBoard, chance: random.Random) -> None:
        self._board, self._chance = board, chance
        self.counts: Counter[str] = Counter()
        self.holds = 0
        """Presses that the machine's load made as long as those that save."""

    def play(self, over: threading.Event) -> None:
        """Until it is over."""
        while not over.wait(self._chance.uniform(0.01, 0.1)):
            kind = self._chance.random()
            if kind < 0.55:
                self._turn()
            elif kind < 0.8:
                knob, value = self._chance.randrange(6), self._chance.randrange(1024)
                self._board.do(partial(SimulatedBoard.knob, knob=knob, value=value))
                self.counts["knobs"] += 1
            elif kind < 0.9:
                self._press(self._chance.randrange(4))  # take what an encoder was turned to
            elif kind < 0.995:
                self._press(self._chance.randrange(4, 8))  # recall a patch
            else:
                self._board.unplug()
                over.wait(1.0)
                self._board.plug_in()
                self.counts["unplugged"] += 1

    def let_go(self) -> None:
        """The cable is in; no switch is down."""
        self._board.plug_in()

    def _turn(self) -> None:
        encoder, way = self._chance.randrange(4), self._chance.choice((-1, 1))
        for _ in range(self._chance.randrange(1, 12)):
            self._board.do(lambda simulated: simulated.turn(encoder, way * COUNTS_PER_DETENT))
            time.sleep(0.02)
            self.counts["detents"] += 1

    def _press(self, switch: int) -> None:
        began_s = time.monotonic()
        self._board.do(lambda simulated: simulated.press(switch))
        time.sleep(0.06)
        self._board.do(lambda simulated: simulated.release(switch))
        # The host may see it half a second late by what the machine does to both of us.
        self.holds += time.monotonic() - began_s > HELD_S / 2.0
        self.counts["presses"] += 1
