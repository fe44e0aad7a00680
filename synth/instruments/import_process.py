"""The import worker as its parent sees it: started, asked, listened to, ended."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from synth.errors import TetradError
from synth.instruments.import_request import ImportRequest, ImportResult
from synth.worker_process import WorkerProcess, WorkerWords

SILENT_S = 300.0
"""A worker that says nothing for so long hangs: one note takes a second, the longest font's listing some."""
_WORDS = WorkerWords(
    work="the import",
    silent="nothing was added; try fewer or shorter notes, and report this with the file",
    killed="nothing was added; the source may be damaged or need more memory than there is: try fewer notes, and "
    "report this with the file",
    ended="nothing was added; report this with the file",
)


class DuplicateImportError(TetradError):
    """The library has it already. name: as what."""

    def __init__(self, words: str, name: str) -> None:
        super().__init__(words)
        self.name = name


class ImportProcess(WorkerProcess):
    """One worker process. `run` is called by one thread at a time; `kill` by any."""

    def __init__(self, command: Sequence[str] | None = None, silent_s: float = SILENT_S) -> None:
        """Starts the worker. Raises TetradError when there is no room for another process."""
        super().__init__(command or (sys.executable, "-m", "synth.instruments.import_worker"), _WORDS, silent_s)

    def run(self, request: ImportRequest, on_progress: Callable[[str, int, int], object]) -> ImportResult:
        """Carry out one import. Raises TetradError in words, whatever becomes of the worker."""
        self.write({"request": request.to_json()})
        while True:
            message = self.read()
            if "progress" in message:
                progress = message["progress"]
                on_progress(progress["step"], progress["done"], progress["total"])
            elif "done" in message:
                return ImportResult.from_json(message["done"])
            elif message.get("duplicate"):
                raise DuplicateImportError(message["error"], message["duplicate"])
            elif "error" in message:
                raise TetradError(message["error"])
