"""What `tetrad play` is, seen from outside: the engine as a child process, screen and board beside it.

    python -m synth.play_supervisor play ...      (`tetrad play` becomes this, with its own arguments)

An engine that breaks down is started again with its current patch; screen and board go on, say that it is gone, and
find it again. After MOST_STARTS restarts within a minute it is over, in one line. An engine for services (`--headless`)
has no supervisor: theirs is systemd.

The two share a socket pair. The engine writes "ready SCREEN BOARD SOCKET" when it plays; this process writes what
screen and board say, a line each. When this process ends in whatever way, the engine reads the end of it, and ends.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from synth.board import NONE, BoardHost
from synth.command import stop_signals
from synth.companion import MOST_STARTS, STARTS_WITHIN_S, ended_words
from synth.control.supervision import AGAIN_VARIABLE, LINK_VARIABLE, Ready, read_ready
from synth.screen import Screen

LOOK_PERIOD_S = 0.05
ENDS_WITHIN_S = 20.0
"""An engine finishes what it writes; a recording of an hour takes some seconds."""
STOPPED = 130
_PASSED_ON = (0, 2, STOPPED)
"""Exit statuses that are no break-down: done, wrong usage, Ctrl-C."""


class Supervisor:
    """The engine and its restarts, and what is beside it. command: that starts the engine."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = [*command]
        self._engine: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None
        self._heard = b""
        self._has_played = False
        self._restarts_s: list[float] = []
        self._screen: Screen | None = None
        self._board: BoardHost | None = None

    def run(self, stopping: Callable[[], bool]) -> int:
        """Until the engine has ended for good. Returns the exit status."""
        self._start()
        try:
            while True:
                status = self._look()
                if status is not None:
                    return status
                if stopping():
                    return self._end_engine()
                time.sleep(LOOK_PERIOD_S)
        finally:
            self._end_engine()
            for companion in (self._screen, self._board):
                if companion is not None:
                    companion.close()

    def say(self, words: str) -> None:
        """To this terminal, and to the engine, which tells its clients. Any thread."""
        link = self._link
        with contextlib.suppress(OSError):  # it has just ended; the terminal is told
            if link is not None:
                link.sendall(words.replace("\n", " ").encode() + b"\n")
                return  # the engine prints it, too
        print(words, flush=True)

    def _look(self) -> int | None:
        """The exit status when all is over."""
        if self._engine is None:
            return 1
        self._listen()
        status = self._engine.poll()
        if status is not None:
            return self._engine_ended(status)
        if self._screen is not None and self._screen.look():
            return self._end_engine()  # the player has closed it
        if self._board is not None:
            self._board.look()
        return None

    def _engine_ended(self, status: int) -> int | None:
        self._drop_engine()
        if status in _PASSED_ON or not self._has_played:
            return status if status >= 0 else 128 - status
        now_s = time.monotonic()
        self._restarts_s = [at_s for at_s in self._restarts_s if now_s - at_s < STARTS_WITHIN_S]
        words = f"The engine broke down ({ended_words(status)})"
        if len(self._restarts_s) >= MOST_STARTS:
            print(
                f"tetrad: error: {words} {MOST_STARTS + 1} times within a minute and stays off; your sound is kept; "
                "start again, with --fresh if that does not help, and report this",
                file=sys.stderr,
            )
            return 1
        self._restarts_s.append(now_s)
        print(f"{words}; it is started again with its sound.", flush=True)
        self._start()
        return None

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        again = {AGAIN_VARIABLE: "1"} if self._has_played else {}
        environment = {**os.environ, LINK_VARIABLE: str(theirs.fileno()), **again}
        with theirs:
            try:
                self._engine = subprocess.Popen(self._command, env=environment, pass_fds=(theirs.fileno(),))
            except OSError as error:
                print(f"tetrad: error: no process can be started ({error.strerror}); end another", file=sys.stderr)
                ours.close()
                return
        ours.setblocking(False)
        self._link, self._heard = ours, b""

    def _listen(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while self._link is not None and (data := self._link.recv(4096)):
                self._heard += data
        while b"\n" in self._heard:
            line, self._heard = self._heard.split(b"\n", maxsplit=1)
            ready = read_ready(line)
            if ready is not None:
                self._plays(ready)

    def _plays(self, ready: Ready) -> None:
        if not self._has_played:
            self._has_played = True
            self._screen = Screen(ready.socket, self.say) if ready.screen else None
            self._board = BoardHost(ready.board, ready.socket, self.say) if ready.board != NONE else None

    def _end_engine(self) -> int:
        """Let it finish. Returns its exit status."""
        engine = self._engine
        if engine is None:
            return 1
        engine.terminate()
        try:
            status = engine.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            engine.kill()
            status = engine.wait()
        self._drop_engine()
        return status if status >= 0 else 128 - status

    def _drop_engine(self) -> None:
        self._engine = None
        link, self._link = self._link, None
        if link is not None:
            link.close()


@contextlib.contextmanager
def kept_terminal() -> Iterator[None]:
    """The terminal's settings as they were: an engine that was killed while its keys were an instrument can't."""
    try:
        settings: list[Any] | None = termios.tcgetattr(sys.stdin.fileno())
    except (termios.error, OSError, ValueError):
        settings = None
    try:
        yield
    finally:
        if settings is not None:
            with contextlib.suppress(termios.error):  # the terminal is gone
                termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, settings)


def main() -> int:
    with stop_signals() as stopping, kept_terminal():
        signal.signal(signal.SIGHUP, lambda *_: stopping.set())
        return Supervisor([sys.executable, "-m", "synth.cli", *sys.argv[1:]]).run(stopping.is_set)


if __name__ == "__main__":
    sys.exit(main())
