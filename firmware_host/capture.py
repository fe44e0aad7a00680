"""Everything that went over a board's wire, in a text file, and such a file decoded.

    # tetrad board capture 1
    # device /dev/ttyUSB0
    0.000000 > 00 04 01 81 01 03 2f cd 00
    0.001902 < 00 03 ...

A line is one read or one write: seconds from the first, ">" to the board or "<" from it, the bytes. Lines may cut
frames anywhere. What was captured is decoded later, by a Tetrad that may know more.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TextIO

from firmware_host.protocol import FROM_BOARD, FROM_HOST, Decoder, Dropped, Received
from synth.errors import TetradError

HEADER = "# tetrad board capture 1"


class CaptureError(TetradError):
    """A file that is no capture, or a damaged one."""


@dataclass(frozen=True, slots=True)
class Event:
    """A frame that was completed at `at_s`. direction: "<" from the board, ">" to it."""

    at_s: float
    direction: str
    what: Received | Dropped

    def __str__(self) -> str:
        if isinstance(self.what, Received):
            return f"{self.at_s:11.6f} {self.direction} {self.what.sequence:3d} {self.what.message}"
        shown = f" {self.what.payload.hex(' ')}" if self.what.payload else ""
        return f"{self.at_s:11.6f} {self.direction}   - dropped ({self.what.reason}){shown}"


class Capture:
    """Writes what a Link's `on_traffic` tells; give it `capture.traffic`. The file stays the caller's to close."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._started_s: float | None = None
        self._device = ""
        file.write(HEADER + "\n")

    def traffic(self, direction: str, device: str, data: bytes) -> None:
        """One read or write, now. Raises OSError when the file takes no more."""
        now_s = time.monotonic()
        if self._started_s is None:
            self._started_s = now_s
        if device != self._device:
            self._device = device
            self._file.write(f"# device {device}\n")
        self._file.write(f"{now_s - self._started_s:.6f} {direction} {data.hex(' ')}\n")


class LiveDecoder:
    """Bytes in either direction to events, for a monitor. A new device begins with nothing half received."""

    def __init__(self) -> None:
        self._device: str | None = None
        self._decoders: dict[str, Decoder] = {}
        self.start()

    def start(self) -> None:
        """Begin anew."""
        self._decoders = {"<": Decoder(FROM_BOARD), ">": Decoder(FROM_HOST)}

    def feed(self, at_s: float, direction: str, device: str, data: bytes) -> list[Event]:
        """The frames that `data` completes."""
        if device != self._device:
            self._device = device
            self.start()
        return [Event(at_s, direction, what) for what in self._decoders[direction].events(data)]


def read(lines: Iterable[str]) -> Iterator[Event]:
    """The frames of a capture. Raises CaptureError with the line's number."""
    decoder, device = LiveDecoder(), ""
    row = 0
    for row, line in enumerate(lines, 1):
        words = line.split()
        if row == 1:
            if line.strip() != HEADER:
                raise CaptureError(f"line 1 is {line.strip()[:40]!r}; {HEADER!r} was expected; decode a capture file")
        elif words[:2] == ["#", "device"]:
            device = " ".join(words[2:])
        elif words and not line.startswith("#"):
            at_s, direction, data = _line(row, words)
            yield from decoder.feed(at_s, direction, device, data)
    if row == 0:
        raise CaptureError(f"the file is empty; {HEADER!r} was expected as its first line; decode a capture file")


def summary(events: Iterable[Event]) -> dict[str, int]:
    """How many of each message and of each reason for dropping: "< STATE", "> dropped (crc)"."""
    counts: Counter[str] = Counter()
    for event in events:
        what = event.what
        name = what.message.NAME if isinstance(what, Received) else f"dropped ({what.reason})"
        counts[f"{event.direction} {name}"] += 1
    return dict(sorted(counts.items()))


def _line(row: int, words: list[str]) -> tuple[float, str, bytes]:
    try:
        at_s, direction, data = float(words[0]), words[1], bytes.fromhex("".join(words[2:]))
    except (ValueError, IndexError):
        direction = ""
    if direction not in ("<", ">"):
        shown = " ".join(words)[:40]
        raise CaptureError(f"line {row} is {shown!r}; seconds, < or >, and bytes were expected; the capture is damaged")
    return at_s, direction, data
