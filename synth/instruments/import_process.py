"""The worker as its parent sees it: started, asked, listened to, ended."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from synth.errors import TetradError
from synth.instruments.import_request import ImportRequest, ImportResult

SILENT_S = 300.0
"""A worker that says nothing for so long hangs: one note takes a second, the longest font's listing some."""
_LONGEST_LINE = 4 * 2**20
_THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""The engine needs the other cores."""


class DuplicateImportError(TetradError):
    """The library has it already. name: as what."""

    def __init__(self, words: str, name: str) -> None:
        super().__init__(words)
        self.name = name


class ImportProcess:
    """One worker process. `run` is called by one thread at a time; `kill` by any."""

    def __init__(self, command: Sequence[str] | None = None, silent_s: float = SILENT_S) -> None:
        """Starts the worker. Raises TetradError when there is no room for another process."""
        try:
            self._process = subprocess.Popen(
                list(command or (sys.executable, "-m", "synth.instruments.import_worker")),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, **_THREADS},
                start_new_session=True,  # Ctrl-C in the engine's terminal is the engine's
            )
        except OSError as error:
            raise TetradError(
                f"the import can't be started ({error.strerror}); room for a process was expected; end another program"
            ) from error
        self._silent_s = silent_s
        self._killed = False
        self._unread = b""

    @property
    def alive(self) -> bool:
        """It can be asked: it has not ended, and nobody has killed it (which takes effect a moment later)."""
        return not self._killed and self._process.poll() is None

    def run(self, request: ImportRequest, on_progress: Callable[[str, int, int], object]) -> ImportResult:
        """Carry out one import. Raises TetradError in words, whatever becomes of the worker."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"request": request.to_json()}).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            raise self._dead() from None
        while True:
            message = self._read()
            if "progress" in message:
                progress = message["progress"]
                on_progress(progress["step"], progress["done"], progress["total"])
            elif "done" in message:
                return ImportResult.from_json(message["done"])
            elif message.get("duplicate"):
                raise DuplicateImportError(message["error"], message["duplicate"])
            elif "error" in message:
                raise TetradError(message["error"])

    def kill(self) -> None:
        """End it now. What it was writing does not come about."""
        self._killed = True
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def close(self, library: Path | None = None) -> None:
        """Kill it if need be, wait for its end, and remove what it left half-written in `library`."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was not written to a dead process yet
                    pipe.close()
        if library is not None:
            for path in library.glob(f".*.{self._process.pid}-*.part*"):
                path.unlink(missing_ok=True)

    def _read(self) -> Mapping[str, Any]:
        """The worker's next line."""
        assert self._process.stdout is not None
        end_s = time.monotonic() + self._silent_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                if not selector.select(max(end_s - time.monotonic(), 0.0)):
                    self.kill()
                    raise TetradError(
                        f"the import said nothing for {self._silent_s:g} s and was ended; nothing was added; "
                        "try fewer or shorter notes, and report this with the file"
                    )
                chunk = os.read(self._process.stdout.fileno(), 65_536)
                self._unread += chunk
                if not chunk or len(self._unread) > _LONGEST_LINE:
                    raise self._dead()
        line, _, self._unread = self._unread.partition(b"\n")
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            raise self._dead()
        return message

    def _dead(self) -> TetradError:
        self.kill()
        status = self._process.wait()
        with contextlib.suppress(ValueError):
            if status < 0:
                how = f"by the signal {signal.Signals(-status).name}"
                return TetradError(
                    f"the import ended {how}; nothing was added; the source may be damaged or need more memory than "
                    "there is: try fewer notes, and report this with the file"
                )
        return TetradError(f"the import ended with status {status}; nothing was added; report this with the file")
