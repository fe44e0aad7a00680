"""Fingers for a screen of another process: a touch panel that speaks TUIO 1.1 over loopback UDP."""

import math
import socket
import time
from collections.abc import Callable, Sequence
from types import TracebackType

from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

STEP_S = 0.016
"""Between two reports of a panel that reports 60 times a second."""


def free_udp_port() -> int:
    """One that nobody listens at now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Panel:
    """Ten fingers or more. Places are 0..1 of the panel, x from its left and y from its *top*, as TUIO has it.

    A panel that is unplugged (`unplug`) says nothing any more: no finger of it is ever lifted.
    """

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._address = ("127.0.0.1", port)
        self._frame = 0
        self._last = 0
        self.down: dict[int, tuple[float, float]] = {}
        """Finger -> where it is."""

    def put(self, x: float, y: float) -> int:
        """A finger goes down. Returns its number."""
        self._last += 1
        self.down[self._last] = (x, y)
        self.report([self._last])
        return self._last

    def move(self, finger: int, x: float, y: float) -> None:
        """A finger that is down is elsewhere now."""
        assert finger in self.down, f"finger {finger} is up"
        self.down[finger] = (x, y)
        self.report([finger])

    def lift(self, *fingers: int) -> None:
        """Fingers go up."""
        for finger in fingers:
            del self.down[finger]
        self.report([])

    def lift_all(self) -> None:
        """No finger is down any more."""
        self.lift(*list(self.down))

    def report(self, changed: Sequence[int]) -> None:
        """One bundle: who is there, and where the changed ones are."""
        if self._socket.fileno() < 0:
            return
        self._frame += 1
        bundle = OscBundleBuilder(IMMEDIATELY)
        bundle.add_content(_message("alive", *self.down))  # type: ignore[arg-type]
        for finger in changed:
            x, y = self.down[finger]
            bundle.add_content(_message("set", finger, x, y, 0.0, 0.0, 0.0))  # type: ignore[arg-type]
        bundle.add_content(_message("fseq", self._frame))  # type: ignore[arg-type]
        self._socket.sendto(bundle.build().dgram, self._address)

    def tap(self, x: float, y: float, held_s: float = 0.06) -> None:
        """Down, and up again."""
        finger = self.put(x, y)
        time.sleep(held_s)
        self.lift(finger)

    def swipe(self, start: tuple[float, float], end: tuple[float, float], seconds: float = 0.5) -> None:
        """A finger goes down at the start, evenly to the end, and up there."""
        finger = self.put(*start)
        self.drag(finger, end, seconds)
        self.lift(finger)

    def drag(
        self,
        finger: int,
        end: tuple[float, float],
        seconds: float = 0.5,
        rest: Callable[[float], object] = time.sleep,
    ) -> None:
        """A finger that is down moves evenly to the end, and stays down. rest: lets so many seconds pass, of whatever
        clock the movement is to be even by."""
        start = self.down[finger]
        steps = max(math.ceil(seconds / STEP_S), 1)
        for step in range(1, steps + 1):
            rest(STEP_S)
            share = step / steps
            self.move(finger, start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)

    def unplug(self) -> None:
        """Say nothing any more, fingers down or not."""
        self._socket.close()

    def __enter__(self) -> "Panel":
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if self._socket.fileno() >= 0:
            self.lift_all()
        self.unplug()


def _message(command: str, *values: float) -> object:
    message = OscMessageBuilder("/tuio/2Dcur")
    message.add_arg(command)
    for value in values:
        message.add_arg(value)
    return message.build()
