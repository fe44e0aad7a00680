"""What `tetrad instruments record` shows: a level meter in a terminal, or lines where there is none."""

from __future__ import annotations

import os
import select
import shutil
import sys
import termios
import time
import tty
from enum import Enum
from typing import Any, Protocol

from synth.instruments.takes import InputStatus

LOWEST_SHOWN_DBFS = -60.0
BAR_CELLS = 30
_CLEAR_LINE = "\r\x1b[K"
_RED, _PLAIN = "\x1b[31m", "\x1b[0m"


class Wish(Enum):
    """What the player typed."""

    NOTHING, END, GIVE_UP = range(3)


class Screen(Protocol):
    """Shown while the `with` lasts."""

    def __enter__(self) -> Any: ...
    def __exit__(self, *_: object) -> None: ...
    def say(self, words: str) -> None:
        """A line that stays."""

    def show(self, status: InputStatus) -> None:
        """How it stands, some twenty times a second."""

    def wait(self, seconds: float) -> Wish:
        """Let time go by, unless something is typed."""


def bar(level_dbfs: float, peak_dbfs: float, cells: int = BAR_CELLS) -> str:
    """A meter from -60 to 0 dBFS: filled up to the level, a mark at the held peak."""

    def cell(dbfs: float) -> int:
        share = 1.0 - max(min(dbfs, 0.0), LOWEST_SHOWN_DBFS) / LOWEST_SHOWN_DBFS
        return round(share * cells)

    filled, mark = cell(level_dbfs), cell(peak_dbfs)
    drawn = ["#"] * filled + ["."] * (cells - filled)
    if mark > 0:
        drawn[mark - 1] = "|"
    return "".join(drawn)


def meter_line(status: InputStatus, width: int) -> str:
    """The whole line, at most `width` characters."""
    takes = f"{len(status.takes)} {'note' if len(status.takes) == 1 else 'notes'}"
    level = f"[{bar(status.level_dbfs, status.peak_dbfs)}] {status.peak_dbfs:6.1f} dBFS"
    return f"{level}  {takes}  {status.words}"[: max(width, 1)]


def wish_of(typed: bytes) -> Wish:
    """Enter ends. Esc alone gives up; with more behind it, it is an arrow or another key that means nothing here."""
    if typed in (b"\x1b", b"\x03", b"\x04"):
        return Wish.GIVE_UP
    if typed.startswith(b"\x1b"):
        return Wish.NOTHING
    return Wish.END if b"\n" in typed or b"\r" in typed else Wish.NOTHING


class TerminalScreen:
    """A meter in the last line of the terminal on stderr; keys from stdin, without waiting for Enter."""

    def __init__(self) -> None:
        self._input = sys.stdin.fileno()
        self._before: list[Any] | None = None

    def __enter__(self) -> TerminalScreen:
        self._before = termios.tcgetattr(self._input)
        tty.setcbreak(self._input)  # leaves Ctrl-C alone
        self.say("Enter: done   Esc: give up")
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            termios.tcsetattr(self._input, termios.TCSADRAIN, self._before)
        self._write(_CLEAR_LINE)

    def say(self, words: str) -> None:
        self._write(f"{_CLEAR_LINE}{words}\n")

    def show(self, status: InputStatus) -> None:
        line = meter_line(status, shutil.get_terminal_size().columns - 1)
        self._write(f"{_CLEAR_LINE}{_RED}{line}{_PLAIN}" if status.clipped else f"{_CLEAR_LINE}{line}")

    def wait(self, seconds: float) -> Wish:
        if not select.select([self._input], [], [], seconds)[0]:
            return Wish.NOTHING
        typed = os.read(self._input, 64)
        return wish_of(typed) if typed else Wish.GIVE_UP  # the terminal has gone

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


class LineScreen:
    """For scripts and logs: a line on stderr whenever something is another."""

    def __init__(self) -> None:
        self._said = ""
        self._clipped = False

    def __enter__(self) -> LineScreen:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left behind."""

    def say(self, words: str) -> None:
        print(words, file=sys.stderr, flush=True)

    def show(self, status: InputStatus) -> None:
        if status.clipped and not self._clipped:
            self.say("CLIPPING, turn the input down")
        self._clipped = status.clipped
        if status.state != self._said:
            self._said = status.state
            self.say(f"{status.state}: {status.words}")

    def wait(self, seconds: float) -> Wish:
        time.sleep(seconds)
        return Wish.NOTHING
