"""What each command of `synth.control.commands` does to a session. The lock is held; `later` has no lock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synth.control.command_events import events_of
from synth.control.commands import Command
from synth.control.corners import Corner
from synth.control.gesture_player import LoopMode
from synth.control.midi_settings import MidiSettings
from synth.control.patch_bank import BankEntry
from synth.control.patch_parts import midi_settings
from synth.control.scala import read_tuning
from synth.errors import TetradError
from synth.paths import user_data_dir
from synth.session_audition import AUDITION_METHODS
from synth.session_devices import DEVICE_METHODS
from synth.session_focus import FOCUS_METHODS
from synth.session_grid import GRID_METHODS
from synth.session_instruments import INSTRUMENT_METHODS
from synth.session_recording import RECORDING_METHODS

if TYPE_CHECKING:
    from synth.session import Session

Result = Mapping[str, Any] | Future[Any] | None


def _play(session: Session, command: Command) -> Result:
    session.stage.run(lambda sample: events_of(command, sample) or [])
    return None


def _set_many(session: Session, command: Command) -> Result:
    values = command["values"] if command.name == "set_many" else {command["parameter"]: command["value"]}
    session.set_values(values, command.by)
    return None


def _point(session: Session, command: Command) -> Result:
    session.editor.play({"x": command["x"], "y": command["y"]})
    if command["touching"] != session.touching:
        session.touching = command["touching"]
        session.stage.touching(session.touching)
    return _play(session, command)


def _panic(session: Session, command: Command) -> Result:
    del command
    session.stage.panic()
    return None


def _corner(session: Session, command: Command) -> Result:
    return session.put(Corner(command["corner"]), command["instrument"])


def _patches(session: Session, command: Command) -> Result:
    found = session.bank.entries(command["search"] or "", command["tag"] or "")
    rows = [
        {
            "number": entry.number,
            "name": entry.name,
            "author": entry.patch.author,
            "tags": list(entry.patch.tags),
            "shipped": entry.shipped,
        }
        for entry in found
    ]
    return {"patches": rows}


def _patch_load(session: Session, command: Command) -> Result:
    if command["name"] is not None:
        return session.load_patch(session.bank.named(command["name"]))
    entry = session.bank.at(command["number"])
    if entry is None:
        raise TetradError(f"there is no patch {command['number']}; `patches` lists those that there are")
    return session.load_patch(entry)


def _patch_save(session: Session, command: Command) -> Result:
    patch = session.editor.patch.with_texts(name=command["name"], tags=command["tags"])

    def save() -> dict[str, Any]:
        entry = session.bank.save(patch, command["number"])
        with session.lock:
            session.send(session.editor.saved(entry.patch))
        session.remember()
        session.notify("patch_changed", name=entry.name, number=entry.number)
        session.notify("patches_changed")
        return {"name": entry.name, "number": entry.number}

    return session.later(save)


def _bank_change(change: Callable[[Session, Command], BankEntry | None]) -> Callable[[Session, Command], Result]:
    def method(session: Session, command: Command) -> Result:
        def work() -> dict[str, Any]:
            entry = change(session, command)
            session.notify("patches_changed")
            return {} if entry is None else {"name": entry.name, "number": entry.number}

        return session.later(work)

    return method


def _patch_export(session: Session, command: Command) -> Result:
    patch = session.editor.patch

    def work() -> dict[str, Any]:
        if command["name"] is not None:
            return {"path": str(session.bank.export_file(command["name"], Path(command["path"]).expanduser()))}
        return {"path": str(session.bank.export_patch(patch, Path(command["path"]).expanduser()))}

    return session.later(work)


def _undo(session: Session, command: Command) -> Result:
    del command
    label = session.editor.undoable
    _, done = session.send(session.editor.undo())
    return session.after(done, lambda: {"undone": label or ""})


def _redo(session: Session, command: Command) -> Result:
    del command
    label = session.editor.redoable
    _, done = session.send(session.editor.redo())
    return session.after(done, lambda: {"redone": label or ""})


def _compare(session: Session, command: Command) -> Result:
    del command
    _, done = session.send(session.editor.compare())
    sounding = "stored" if session.editor.comparing else "edited"
    return session.after(done, lambda: {"sounding": sounding})


def _midi_learn(session: Session, command: Command) -> Result:
    session.learning = command["parameter"]
    session.stage.learn(session.learning)
    return None


def _midi_settings(session: Session, command: Command) -> Result:
    if command["settings"] is not None:
        settings = MidiSettings.from_json(command["settings"])
        session.send(session.editor.set_midi(settings.to_json()))
    return {"settings": midi_settings(session.editor.patch.midi).to_json()}


def _tuning_load(session: Session, command: Command) -> Result:
    files = [Path(command[name]).expanduser() for name in ("scale", "keyboard_map") if command[name] is not None]
    if command["scale"] is None and files:
        raise TetradError("a keyboard map without a scale was given; a .scl file was expected with it; name one")

    def work() -> dict[str, Any]:
        tuning = None if not files else read_tuning(*files)
        with session.lock:
            session.send(session.editor.set_tuning(None if tuning is None else tuning.to_json()))
            return {"tuning": session.tuning_name}

    return session.later(work)


def _gesture_record(session: Session, command: Command) -> Result:
    session.gesture_in_time = command["in_time"]
    session.stage.record_gesture()
    return None


def _gesture_play(session: Session, command: Command) -> Result:
    if session.gesture is None:
        raise TetradError("there is no gesture; one that was recorded was expected; record one first")
    mode = LoopMode.ONCE
    if command["loop"]:
        mode = LoopMode.BEATS if command["in_time"] or session.gesture_in_time else LoopMode.FREE
    session.stage.play_gesture(session.gesture, mode, command["speed"], command["mirrored"])
    return None


def _gesture_stop(session: Session, command: Command) -> Result:
    del command
    session.stage.stop_gesture()
    return None


def _gesture_clear(session: Session, command: Command) -> Result:
    del command
    session.stage.stop_gesture()
    session.keep_gesture(None)
    return None


def _record_start(session: Session, command: Command) -> Result:
    recorder = session.need_recorder()

    def work() -> dict[str, Any]:
        path = session.recording_path(command["path"], recordings_dir())
        recorder.start(path)
        return {"path": str(path)}

    return session.later(work)


def _record_stop(session: Session, command: Command) -> Result:
    del command
    recorder = session.need_recorder()

    def work() -> dict[str, Any]:
        summary = recorder.stop()
        session.notify("recording_saved", path=str(summary.path), seconds=summary.duration_s)
        return {"path": str(summary.path), "seconds": summary.duration_s}

    return session.later(work)


def _keep(session: Session, command: Command) -> Result:
    recorder = session.need_recorder()

    def work() -> dict[str, Any]:
        path = session.recording_path(command["path"], recordings_dir())
        summary = recorder.keep(path, command["seconds"])
        session.notify("recording_saved", path=str(summary.path), seconds=summary.duration_s)
        return {"path": str(summary.path), "seconds": summary.duration_s}

    return session.later(work)


def _log(session: Session, command: Command) -> Result:
    del command
    return {"lines": session.log.lines()}


def _quit(session: Session, command: Command) -> Result:
    del command
    session.quit_wanted.set()
    return None


def recordings_dir() -> Path:
    """Where recordings go that are not told where."""
    return user_data_dir() / "recordings"


COMMAND_METHODS: dict[str, Callable[[Session, Command], Result]] = {
    **dict.fromkeys(("note_on", "note_off", "note_expression", "pedal", "bend"), _play),
    "set": _set_many,
    "set_many": _set_many,
    "point": _point,
    "panic": _panic,
    **AUDITION_METHODS,
    **DEVICE_METHODS,
    **FOCUS_METHODS,
    **GRID_METHODS,
    **INSTRUMENT_METHODS,
    **RECORDING_METHODS,
    "corner": _corner,
    "patches": _patches,
    "patch_load": _patch_load,
    "patch_save": _patch_save,
    "patch_rename": _bank_change(lambda session, c: session.bank.rename(c["name"], c["new_name"])),
    "patch_tag": _bank_change(lambda session, c: session.bank.tag(c["name"], c["tags"])),
    "patch_remove": _bank_change(lambda session, c: session.bank.remove(c["name"])),
    "patch_restore": _bank_change(lambda session, c: session.bank.restore(c["name"])),
    "patch_import": _bank_change(lambda session, c: session.bank.import_file(Path(c["path"]).expanduser())),
    "patch_export": _patch_export,
    "undo": _undo,
    "redo": _redo,
    "compare": _compare,
    "midi_learn": _midi_learn,
    "midi_settings": _midi_settings,
    "tuning_load": _tuning_load,
    "gesture_record": _gesture_record,
    "gesture_play": _gesture_play,
    "gesture_stop": _gesture_stop,
    "gesture_clear": _gesture_clear,
    "record_start": _record_start,
    "record_stop": _record_stop,
    "keep": _keep,
    "log": _log,
    "quit": _quit,
}
