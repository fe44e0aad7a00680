"""Recording in a process of its own, for the engine: `python -m synth.instruments.record_worker [--list KIND]`.

In, JSON lines: first what is wanted, {"folder", "device": text or null, "notes": number or null, "seconds"}; then
{"finish": true, "trims": [[take, start_s, end_s or null, keep]]} when it is to end. Out, JSON lines:

    {"ready": {"device", "sample_rate_hz", "channels"}}     once it records
    {"status": {...}}                                       `InputStatus.to_json`, when it is another, 20 times a second
    {"done": {"takes": [...], "remarks": [...]}}            the answer to finish, and the end of the process
    {"error": words}                                        the end, too

With `--list inputs` (or outputs) it says {"inputs": [...]} and ends: a process that has just begun sees what was
plugged in since the engine began. It ends when its input ends, and leaves the JACK server in order (one that waits for
clients waits for a killed one, too); takes that are written then stay.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synth.errors import TetradError
from synth.instruments.takes import LOOK_PERIOD_S, TakeRecorder, Trim
from synth.io.audio_input import AudioInput, input_devices
from synth.io.sound_cards import output_devices
from synth.worker_main import Lines, take_output


def main(arguments: list[str]) -> int:
    """Record once, or list the devices of a kind."""
    lines = Lines(take_output())
    try:
        if arguments[:1] == ["--list"]:
            found = output_devices() if arguments[1] == "outputs" else input_devices()
            lines.write({arguments[1]: [_described(device) for device in found]})
        else:
            _record(lines, json.loads(sys.stdin.readline()))
    except TetradError as error:
        lines.write({"error": str(error)})
        return 1
    return 0


def _described(device: Any) -> dict[str, Any]:
    return {"device": str(device), **device._asdict()}


def _record(lines: Lines, wanted: Mapping[str, Any]) -> None:
    asked: queue.Queue[Any] = queue.Queue()
    threading.Thread(target=_read_requests, args=(asked,), name="requests", daemon=True).start()
    with AudioInput(wanted["device"]) as source:
        recorder = TakeRecorder(source, Path(wanted["folder"]), notes=wanted["notes"], longest_s=wanted["seconds"])
        about = {"sample_rate_hz": source.sample_rate_hz, "channels": source.channels}
        lines.write({"ready": {"device": str(source.device), **about}})
        told = None
        while asked.empty():
            recorder.step()
            status = recorder.status().to_json()
            if status != told:
                told = status
                lines.write({"status": status})
            time.sleep(LOOK_PERIOD_S)
        request = asked.get()
        if request is None:
            recorder.close()
            return
        recorder.finish()
        recorder.trim({number: Trim(*trim) for number, *trim in request["trims"]})
        takes = [take.to_json() for take in recorder.takes]
        lines.write({"done": {"takes": takes, "remarks": recorder.remarks()}})


def _read_requests(asked: queue.Queue[Any]) -> None:
    """In a thread: requests to the queue, and None at the end of the input."""
    for line in sys.stdin:
        asked.put(json.loads(line))
    asked.put(None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
