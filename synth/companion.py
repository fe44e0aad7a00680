"""A program beside the engine: started with it, and again when it breaks down.

At most MOST_STARTS times in STARTS_WITHIN_S, after the first; then it stays off, and the sound goes on.
"""

import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence

MOST_STARTS = 3
"""Again, after the first."""
STARTS_WITHIN_S = 60.0
ENDS_WITHIN_S = 3.0


class Companion:
    """The program and its restarts. One thread calls `look` some times a second; `close` ends it.

    name: what it is called in words, such as "the screen". say: is told, in words, what happens to it, and, where it
    `speaks`, each line that it writes: by a thread of its own. Its standard input is open until `close`, or until this
    process has ended in whatever way: one that reads it ends with us.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        say: Callable[[str], object],
        *,
        speaks: bool = False,
    ) -> None:
        """Starts it."""
        self._name, self._command, self._environment = name, [*command], dict(environment)
        self._say, self._speaks = say, speaks
        self._restarts_s: list[float] = []
        self._process: subprocess.Popen[str] | None = None
        self._start()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def look(self) -> bool:
        """Start it again if it has broken down. True when it has ended by itself, as its player wished."""
        status = None if self._process is None else self._process.poll()
        if self._process is None or status is None:
            return False
        _close_pipes(self._process)
        self._process = None
        if status == 0:
            return True
        now_s = time.monotonic()
        self._restarts_s = [at_s for at_s in self._restarts_s if now_s - at_s < STARTS_WITHIN_S]
        words = f"{self._name} broke down ({ended_words(status)})"
        if len(self._restarts_s) >= MOST_STARTS:
            self._say(f"{words} {MOST_STARTS + 1} times within a minute and stays off; the sound goes on; start again")
            return False
        self._restarts_s.append(now_s)
        self._say(f"{words}; it is started again")
        self._start()
        return False

    def close(self) -> None:
        """End it, if it runs."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _close_pipes(process)

    def _start(self) -> None:
        try:
            # In a session of its own: Ctrl-C in the engine's terminal is the engine's, which ends the program itself.
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if self._speaks else None,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            self._say(f"{self._name} does not start ({error.strerror}); room for a process was expected; end another")
            return
        if self._speaks:
            threading.Thread(target=self._listen, args=(self._process,), name=self._name, daemon=True).start()

    def _listen(self, process: "subprocess.Popen[str]") -> None:
        if process.stdout is None:
            return
        with process.stdout:
            for line in process.stdout:
                self._say(line.rstrip())


def _close_pipes(process: "subprocess.Popen[str]") -> None:
    """Its standard input; what it says is closed by who listens."""
    if process.stdin is not None:
        process.stdin.close()


def ended_words(status: int) -> str:
    """How a process ended, of `Popen.poll`."""
    return f"signal {-status}" if status < 0 else f"status {status}"
