"""The computer's keyboard as a small musical keyboard, in a terminal.

A terminal tells when a key goes down, never when it comes up, so every note lasts NOTE_S; holding a key repeats it.

      w e   t y u   o p        black keys
     a s d f g h j k l         white keys from C
     z x  an octave down / up        arrows  move the finger on the surface        q  quit
"""

import contextlib
import os
import select
import sys
import termios
import threading
import time
import tty
from collections import deque
from collections.abc import Iterator

from synth.io.midi_queue import PortMessage

HELP = (
    "  play:  a s d f g h j k l  are white keys from C,  w e t y u o p  the black ones,  z x  change the octave\n"
    "  move:  the arrow keys move the finger on the surface;  q  stops"
)
NOTES = {letter: offset for offset, letter in enumerate("awsedftgyhujkolp")}
ARROWS = {b"\x1b[D": (16, -1), b"\x1b[C": (16, 1), b"\x1b[B": (17, -1), b"\x1b[A": (17, 1)}
NOTE_S = 0.45
VELOCITY = 90
STEP = 6  # of a controller's 127 for an arrow
LOWEST_C, HIGHEST_C = 24, 84


class TerminalKeys:
    """Turns bytes from a terminal into MIDI messages; `take` them as from a MIDI port."""

    def __init__(self) -> None:
        self._lowest_key = 60
        self._finger = {16: 64, 17: 64}  # controllers of x and y
        self._messages: deque[PortMessage] = deque()
        self._releases: deque[tuple[float, int]] = deque()  # (time_s, key)
        self.wants_to_quit = threading.Event()

    def press(self, typed: bytes, time_s: float) -> None:
        """What was typed at a moment: a letter, or an arrow's three bytes."""
        letter = typed.decode("ascii", "replace").lower()
        if typed in ARROWS:
            controller, sign = ARROWS[typed]
            self._finger[controller] = min(max(self._finger[controller] + sign * STEP, 0), 127)
            self._messages.append(PortMessage(time_s, bytes((0xB0, controller, self._finger[controller]))))
        elif letter in NOTES:
            key = self._lowest_key + NOTES[letter]
            self._messages.append(PortMessage(time_s, bytes((0x90, key, VELOCITY))))
            self._releases = deque((due_s, held) for due_s, held in self._releases if held != key)
            self._releases.append((time_s + NOTE_S, key))
        elif letter in {"z", "x"}:
            self._lowest_key += 12 if letter == "x" else -12
            self._lowest_key = min(max(self._lowest_key, LOWEST_C), HIGHEST_C)
        elif letter in {"q", "\x04"}:
            self.wants_to_quit.set()

    def take(self) -> list[PortMessage]:
        """Messages that are due, oldest first."""
        messages = []
        while self._messages:
            messages.append(self._messages.popleft())
        now_s = time.perf_counter()
        while self._releases and self._releases[0][0] <= now_s:
            due_s, key = self._releases.popleft()
            messages.append(PortMessage(due_s, bytes((0x80, key, 0))))
        return messages

    def lost(self) -> list[str]:
        """A terminal that goes away takes nothing with it: its notes end by themselves."""
        return []

    def read_from(self, descriptor: int, stopping: threading.Event) -> None:
        """Read a terminal until `stopping` is set or it closes. Runs in a thread of its own."""
        while not stopping.is_set():
            if not select.select([descriptor], [], [], 0.05)[0]:
                continue
            typed = os.read(descriptor, 64)
            if not typed:
                return
            now_s = time.perf_counter()
            while typed:
                length = 3 if typed[:3] in ARROWS else 1
                self.press(typed[:length], now_s)
                typed = typed[length:]


@contextlib.contextmanager
def terminal_keys() -> Iterator[TerminalKeys]:
    """Keys typed into stdin, without waiting for Return and without echo, until the block ends."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    keys, stopping = TerminalKeys(), threading.Event()
    reader = threading.Thread(target=keys.read_from, args=(descriptor, stopping), name="terminal", daemon=True)
    tty.setcbreak(descriptor)  # leaves Ctrl-C alone
    try:
        reader.start()
        yield keys
    finally:
        stopping.set()
        reader.join()
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
