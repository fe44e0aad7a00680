"""The session's part of the status: what the table in `synth.control.status` describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synth.session import Session


def engine_status(session: Session) -> dict[str, Any]:
    """Everything but MIDI ports, the audio device and the server. The session's lock is held."""
    engine: Mapping[str, Any] = session.engine.status()
    editor = session.editor
    entry = session.bank.find(editor.stored.name)
    stage = session.stage
    gesture = session.gesture
    state = "recording" if stage.recording_gesture else "playing" if stage.playing_gesture else "ready"
    status: dict[str, Any] = {
        "parameters": editor.sounding.parameters(),
        "point": {"x": engine["x"], "y": engine["y"], "touching": session.touching},
        "corners": session.corner_status(),
        "voices": {
            "sounding": engine["voices"],
            "limit": engine["voice_limit"],
            "most": engine["most_voices"],
            "stolen": engine["stolen"],
        },
        "notes": engine["notes"],
        "levels": {"peak_dbfs": engine["peaks_dbfs"], "rms_dbfs": engine["rms_dbfs"]},
        "patch": {
            "name": editor.sounding.name,
            "number": None if entry is None else entry.number,
            "edited": editor.dirty,
            "sounding": "stored" if editor.comparing else "edited",
            "undo": editor.undoable,
            "redo": editor.redoable,
        },
        "focus": session.focus.status(),
        "audition": {"instrument": (session.audition.name if session.audition is not None else "") or None},
        "clock": stage.clock_status(),
        "gesture": {
            "state": "empty" if gesture is None and state == "ready" else state,
            "length_s": 0.0 if gesture is None else gesture.length_s,
        },
        "tuning": {"name": session.tuning_name},
        "imports": session.imports.queue.status(),
        "input": session.input.status(),
        "grid": session.grid.status(),
        "midi": {"messages": stage.messages, "learning": session.learning},
        "health": {
            name: engine[name]
            for name in ("late_frames", "lost_segments", "dropped_events", "most_waiting_events", "clock_samples")
        },
    }
    if session.recorder is not None:
        running = session.recorder.status()
        status["recording"] = {
            "state": "off" if running["recording"] is None else "on",
            "path": running["recording"],
            "seconds": running["duration_s"],
            "kept_s": running["kept_s"],
            "lost_samples": running["lost_samples"],
            "problem": running["problem"],
        }
    return status
