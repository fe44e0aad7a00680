"""An import by the running engine, over its socket: it is on every screen at once, and in a corner if wanted."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from typing import Any

from synth.errors import TetradError
from synth.instruments.import_request import ImportRequest, ImportResult
from synth.io.client import Client, EngineGoneError

CONNECT_WITHIN_S = 2.0
SILENT_S = 330.0
"""Longer than the engine waits for its worker."""
_OTHER_FIELDS = ("sources", "library", "velocities", "keys", "release_s")


def import_by_engine(
    request: ImportRequest, corner: str | None, on_progress: Callable[[str, int, int], None]
) -> ImportResult:
    """Raises EngineGoneError when no engine answers, TetradError for what the engine says went wrong."""
    heard: queue.Queue[Mapping[str, Any]] = queue.Queue()

    def on_notice(notice: str, data: Mapping[str, Any]) -> None:
        if notice == "import_changed":
            heard.put(data)

    client = Client(name="tetrad instruments add", on_notice=on_notice)
    try:
        client.connect(CONNECT_WITHIN_S)
        content = {key: value for key, value in request.to_json().items() if key not in _OTHER_FIELDS}
        if corner is not None:
            content["corner"] = corner
        number = client.request("instrument_import", paths=[str(path) for path in request.sources], **content)["number"]
        job = _wait(client, heard, number, on_progress)
        if job["state"] != "done":
            raise TetradError(job["words"])
        return ImportResult.from_json(job["result"])
    finally:
        client.close()


def _wait(
    client: Client,
    heard: queue.Queue[Mapping[str, Any]],
    number: int,
    on_progress: Callable[[str, int, int], None],
) -> Mapping[str, Any]:
    """The job when it is over, as `imports` has it."""
    while True:
        try:
            notice = heard.get(timeout=SILENT_S)
        except queue.Empty:
            raise EngineGoneError(
                f"the engine said nothing of import {number} for {SILENT_S:g} s; look at it"
            ) from None
        if notice["number"] != number:
            continue
        if notice["state"] in ("done", "failed", "cancelled"):
            jobs = client.request("imports")["imports"]
            return next(job for job in jobs if job["number"] == number)
        if notice["step"]:
            on_progress(notice["step"], notice["done"], notice["total"])
