"""The recording worker as the engine sees it: started, listened to in a thread, ended."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from synth.errors import TetradError
from synth.instruments.takes import Trim

LIST_WITHIN_S = 30.0
"""A driver may take seconds for each of its devices."""
ENDS_WITHIN_S = 5.0
_COMMAND = (sys.executable, "-m", "synth.instruments.record_worker")
_THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""The engine needs the other cores."""


class RecordProcess:
    """One worker, which records once."""

    def __init__(self, wanted: Mapping[str, Any], on_message: Callable[[Mapping[str, Any]], object]) -> None:
        """wanted: the worker's first line. on_message: called in a thread of ours with each of its lines, and at the
        end, whatever ended it, with {"ended": words}. Raises TetradError when there is no room for a process."""
        try:
            self._process = subprocess.Popen(
                _COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, **_THREADS},
                start_new_session=True,  # Ctrl-C in the engine's terminal is the engine's
            )
        except OSError as error:
            raise _no_process(error) from error
        self._on_message = on_message
        self._tell(wanted)
        self._thread = threading.Thread(target=self._read, name="recording input", daemon=True)
        self._thread.start()

    def finish(self, trims: Mapping[int, Trim] = MappingProxyType({})) -> None:
        """Have it end its last take, trim the takes with these numbers, and say what it has."""
        self._tell({"finish": True, "trims": [[number, *trim] for number, trim in trims.items()]})

    def end(self) -> None:
        """What is under way is lost. Any thread but its own; one whose driver hangs is killed after ENDS_WITHIN_S."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # what was not written to a dead process yet
            self._process.stdin.close()
        self._thread.join(ENDS_WITHIN_S)
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._thread.join()

    def _tell(self, message: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):  # it has died or was ended, and that will be told
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdin is not None
        for line in self._process.stdout:
            with contextlib.suppress(ValueError):  # the half line of a worker that was killed
                self._on_message(json.loads(line))
        status = self._process.wait()
        self._process.stdout.close()
        with contextlib.suppress(OSError):  # what was not written to a dead process yet
            self._process.stdin.close()
        self._on_message({"ended": f"the recording ended with status {status}; report this with what was plugged in"})


def list_inputs() -> list[dict[str, Any]]:
    """The inputs that there are now. It takes a second. Raises TetradError."""
    return _listed("inputs")


def list_outputs() -> list[dict[str, Any]]:
    """The outputs that there are now, those with two channels or more. It takes a second. Raises TetradError."""
    return _listed("outputs")


def _listed(kind: str) -> list[dict[str, Any]]:
    try:
        done = subprocess.run(
            (*_COMMAND, "--list", kind),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={**os.environ, **_THREADS},
            timeout=LIST_WITHIN_S,
            check=False,
        )
        answer = json.loads(done.stdout)
    except OSError as error:
        raise _no_process(error) from error
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise TetradError(f"the {kind} could not be listed ({error}); a driver may hang: plug it in again") from error
    if "error" in answer:
        raise TetradError(answer["error"])
    devices: list[dict[str, Any]] = answer[kind]
    return devices


def _no_process(error: OSError) -> TetradError:
    return TetradError(
        f"no recording could be started ({error.strerror}); room for a process was expected; end another"
    )
