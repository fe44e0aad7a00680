"""The instrument while it is played: patch, corners, bank and recordings around one engine.

It carries out clients' commands. Who does what: the conductor's thread plays (`synth.stage`), and never waits for
anything here. Commands come in the server's thread (`handle`), files are read and written in one worker thread, and
the main thread calls `settle` some times a second. The patch is edited under a lock that all three take for
microseconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from synth.audition import Audition
from synth.control.commands import Command
from synth.control.corners import Corner
from synth.control.events import Event, SetCorner, SetParameter
from synth.control.gesture import Gesture
from synth.control.midi_settings import MidiSettings
from synth.control.parameters import INDEX
from synth.control.patch import Patch
from synth.control.patch_autosave import Autosave
from synth.control.patch_bank import BankEntry, PatchBank
from synth.control.patch_changes import Change, Part
from synth.control.patch_editor import PatchEditor
from synth.control.patch_parts import gesture_of, midi_settings, tuning_of
from synth.control.patch_resolve import resolve
from synth.errors import TetradError
from synth.grid.store import GridStore
from synth.instruments.catalogue import Catalogue
from synth.instruments.silence import silent_instrument
from synth.io.recorder import Recorder
from synth.loader import InstrumentLoader
from synth.session_commands import COMMAND_METHODS
from synth.session_devices import Devices
from synth.session_focus import MIDI, PATCH, Focus, Moves
from synth.session_grid import SessionGrid
from synth.session_instruments import Imports
from synth.session_log import EngineLog
from synth.session_recording import InputRecording
from synth.session_status import engine_status
from synth.stage import Stage
from synth.voices.engine import Engine
from synth.voices.prepared import PreparedInstrument

Result = Mapping[str, Any] | Future[Any] | None
Notify = Callable[..., None]


class Session:
    """A `CommandHandler` (synth.control.commands). Close it when the stream has stopped.

    patch: what sounds at first; stored: the bank's patch that it was made from. recorder: None where nothing can be
    kept. grid: paths between instruments, None for straight lines; refine: compute those that are missing.
    """

    def __init__(
        self,
        engine: Engine,
        stage: Stage,
        loader: InstrumentLoader,
        bank: PatchBank,
        *,
        patch: Patch,
        stored: Patch | None = None,
        recorder: Recorder | None = None,
        autosave: Autosave | None = None,
        grid: GridStore | None = None,
        refine: bool = True,
    ) -> None:
        self.engine = engine
        self.stage = stage
        self.loader: InstrumentLoader = loader
        self.bank: PatchBank = bank
        self.recorder = recorder
        self.autosave = autosave
        self.editor = PatchEditor(patch, stored)
        self.catalogue = Catalogue(loader.library)
        self.notify: Notify = lambda _notice, **_data: None
        """`Server.notify`, once there is a server."""
        self.more_status: Callable[[], Mapping[str, Any]] = dict
        """What the program knows besides: MIDI ports, the audio device."""
        self.log = EngineLog(self)
        self.focus = Focus()
        self.moves = Moves(
            lambda parameter, value, by: self.notify("parameter_changed", parameter=parameter, value=value, by=by)
        )
        self.audition: Audition | None = None
        """What plays an instrument beside the playing, where that is mixed in."""
        self.devices: Devices | None = None
        """Sound and MIDI of the program, once they are there."""
        self.imports = Imports(self)
        self.input = InputRecording(self)
        self.grid = SessionGrid(self, grid, refine=refine)
        self.quit_wanted = threading.Event()
        self.gesture: Gesture | None = None
        self.gesture_in_time = False
        """It was recorded in time: it plays on the beats."""
        self.learning: str | None = None
        self.touching = False
        self.lock = threading.RLock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="session")
        self._silence = engine.prepare(silent_instrument(engine.model_id))
        self._sounding: dict[Corner, str | None] = {}
        self._held: dict[Corner, PreparedInstrument | None] = {}  # what sounds there, made ready; None in silence
        self._wanted: dict[Corner, str | None] = {}
        self._corner_turn = dict.fromkeys(Corner, 0)  # counts changes of a corner: only the newest one is carried out

    # From the start to the end.

    def begin(self) -> list[str]:
        """Put the whole patch into the engine. Gives warnings, a line each."""
        with self.lock:
            everything = [
                *(
                    Change(Part.CORNER, corner, None, name)
                    for corner, name in zip(Corner, self.editor.patch.corners, strict=True)
                ),
                *(Change(Part.PARAMETER, name, None, self.editor.patch.value(name)) for name in INDEX),
                *(
                    Change(part, "", None, getattr(self.editor.patch, part))
                    for part in (Part.MIDI, Part.TUNING, Part.GESTURE)
                ),
            ]
            warnings, done = self.send(everything)
        done.result()
        return [*self.bank.warnings, *warnings]

    def load_ahead(self) -> Future[int]:
        """Read what other patches need, in the background: not before there is sound."""
        bank_needs = [name for entry in self.bank.entries() for name in entry.patch.corners if name is not None]
        return self.loader.load_ahead(dict.fromkeys([*bank_needs, *self.loader.library.names()]))

    def close(self) -> None:
        """Finish what is being written; imports that are under way do not come about."""
        if self.audition is not None:
            self.audition.close()
        self.input.close()
        self.imports.queue.close()
        self.grid.close()
        self.settle()
        self._worker.shutdown(wait=True)
        self.loader.close()
        if self.recorder is not None:
            self.recorder.close()
        if self.autosave is not None:
            self.autosave.close()
        self.log.close()

    def settle(self) -> None:
        """Take over what the conductor's thread saw: controllers that moved, program changes, gestures. Any thread."""
        self.imports.look()
        with self.lock:
            stage = self.stage
            played: dict[str, float] = {}
            moved: dict[str, float] = {}
            while stage.moved:
                name, value = stage.moved.popleft()
                (played if name in ("x", "y") else moved)[name] = value
            if played:
                self.editor.play(played)
            if moved:
                # The engine has these; it must get what else changes when the stored patch was being compared.
                self.send(change for change in self.editor.set_many(moved) if change.key not in moved)
            for name, value in {**played, **moved}.items():
                self.moves.moved(name, value, MIDI)
            self.moves.look()
            while stage.midi_changed:
                self._midi_changed(stage.midi_changed.popleft())
            while stage.retuned:
                self.editor.set_tuning(stage.retuned.popleft().to_json())
                self.notify("tuning_changed", name=self.tuning_name)
            while stage.gestures:
                self.keep_gesture(stage.gestures.popleft())
            while stage.programs:
                self.later(partial(self._program, stage.programs.popleft()))
            self.remember()

    def remember(self) -> None:
        """Have the current patch on disk within a second."""
        if self.autosave is not None:
            self.autosave.note(self.editor.patch, self.editor.stored.name)
            words = self.autosave.news()
            if words:
                self.notify("warning", words=words)

    # CommandHandler.

    def handle(self, command: Command) -> Result:
        """Carry out a command; see `synth.control.commands.CommandHandler`."""
        self.settle()
        with self.lock:
            result: Result = COMMAND_METHODS[command.name](self, command)
        self.remember()
        return result

    def status(self) -> Mapping[str, Any]:
        """See `synth.control.status`."""
        self.settle()
        with self.lock:
            status = engine_status(self)
        for name, entries in self.more_status().items():
            status[name] = {**status.get(name, {}), **entries}
        return status

    # What commands are made of. The lock is held.

    def later(self, work: Callable[[], Any]) -> Future[Any]:
        """Do what takes longer, in the worker's thread, one after the other."""
        return self._worker.submit(work)

    def send(self, changes: Iterable[Change]) -> tuple[list[str], Future[None]]:
        """Let the engine have changes of the patch, all at one moment: when the instruments are there.

        Gives warnings, and a future that is done when the engine has been told.
        """
        changes = list(changes)
        parameters = {str(change.key) for change in changes if change.part is Part.PARAMETER}
        for name in parameters:
            self.moves.moved(name, self.editor.sounding.value(name), PATCH)
        corners = [change.key for change in changes if isinstance(change.key, Corner)]
        warnings = self._resolve(corners)
        for change in changes:
            match change.part:
                case Part.MIDI:
                    self._tell_midi()
                case Part.TUNING:
                    self.stage.set_tuning(tuning_of(self.editor.sounding.tuning))
                    self.notify("tuning_changed", name=self.tuning_name)
                case Part.GESTURE:
                    path = self.editor.sounding.gesture
                    self.gesture = None if path is None else gesture_of(path)
                    self.notify("gesture_changed")
                case _:
                    continue
        turns = {}
        for corner in corners:
            self._corner_turn[corner] += 1
            turns[corner] = self._corner_turn[corner]
        loading = {corner: self._instrument(corner) for corner in corners}
        done: Future[None] = Future()

        def all_there() -> None:
            try:
                with self.lock:
                    self._apply(loading, turns, parameters)
            except BaseException as error:  # noqa: BLE001  (whoever waits for `done` is told)
                done.set_exception(error)
            else:
                done.set_result(None)

        _when_done(list(loading.values()), all_there)
        return warnings, done

    def set_values(self, values: Mapping[str, float], by: str) -> None:
        """Parameters get values at one moment, as one edit; x and y, which are the finger, as playing. by: who."""
        finger = {name: value for name, value in values.items() if name in ("x", "y")}
        knobs = {name: value for name, value in values.items() if name not in finger}
        if finger:
            self.editor.play(finger)
        if knobs:
            changes = self.editor.set_many(knobs)
            self.send(change for change in changes if change.key not in knobs)
        self.stage.run(lambda sample: [SetParameter(sample, name, value) for name, value in values.items()])
        for name, value in values.items():
            self.moves.moved(name, value, by)

    def put(self, corner: Corner, instrument: str | None) -> Future[None]:
        """An edit: a corner gets an instrument. TetradError when there is none of that name."""
        if instrument is not None:
            self.loader.library.path(instrument)
        warnings, done = self.send(self.editor.set_corner(corner, instrument))
        del warnings  # it is there
        return done

    def load_patch(self, entry: BankEntry) -> Future[dict[str, Any]]:
        """Another patch sounds."""
        warnings, done = self.send(self.editor.load(entry.patch))
        warnings += [f"patch {entry.name} is older than the parameters {', '.join(entry.lacks)}"] if entry.lacks else []
        self.notify("patch_changed", name=entry.name, number=entry.number)
        for words in warnings:
            self.notify("warning", words=words)
        return self.after(done, lambda: {"name": entry.name, "number": entry.number, "warnings": warnings})

    @staticmethod
    def after(done: Future[None], make: Callable[[], dict[str, Any]]) -> Future[dict[str, Any]]:
        """A future of `make`'s result when `done` is; of its error, if there was one."""
        result: Future[dict[str, Any]] = Future()

        def finished(_: Future[None]) -> None:
            error = done.exception()
            if error is not None:
                result.set_exception(error)
            else:
                result.set_result(make())

        done.add_done_callback(finished)
        return result

    def need_recorder(self) -> Recorder:
        """TetradError where nothing can be recorded."""
        if self.recorder is None:
            raise TetradError("nothing can be recorded here; an engine with a recorder was expected; start it anew")
        return self.recorder

    def keep_gesture(self, gesture: Gesture | None) -> None:
        """An edit: the patch has this gesture, or none."""
        self.gesture = gesture
        self.editor.set_gesture(None if gesture is None else gesture.to_json())
        self.notify("gesture_changed")

    def recording_path(self, wanted: str | None, folder: Path) -> Path:
        """Where a recording goes: where it was asked for, or a new file that tells its time."""
        if wanted is not None:
            return Path(wanted).expanduser()
        folder.mkdir(parents=True, exist_ok=True)
        return folder / time.strftime("tetrad-%Y-%m-%d-%H-%M-%S.flac")

    def corner_status(self) -> dict[str, Any]:
        """Instruments of the corners, those on their way included."""
        found = {}
        for corner in Corner:
            name, wanted = self._sounding.get(corner), self._wanted.get(corner)
            entry = self.catalogue.get(name)
            about = {"instrument": name or "silence", "display_name": entry.display_name, "family": entry.family}
            patch_name = self.editor.sounding.corners[corner]
            if wanted != name or patch_name != name:
                about["wanted"] = (wanted if wanted != name else patch_name) or "silence"
            found[corner.name.lower()] = about
        return found

    # Inside.

    def _program(self, number: int) -> None:
        entry = self.bank.at(number)
        if entry is None:
            self.notify("warning", words=f"there is no patch {number} for the program change; save one there")
            return
        with self.lock:
            self.load_patch(entry)
        self.remember()

    def _midi_changed(self, settings: MidiSettings) -> None:
        before = midi_settings(self.editor.patch.midi)
        self.editor.set_midi(settings.to_json())
        for controller, parameter in settings.assignments.items():
            if before.assignments.get(controller) != parameter and parameter == self.learning:
                self.learning = None
                self.notify("midi_learned", parameter=parameter, controller=controller)
        self.notify("midi_settings_changed")

    def _resolve(self, corners: Sequence[Corner]) -> list[str]:
        if not corners:
            return []
        needed = [name for name in self.editor.sounding.corners if name is not None]
        resolved = resolve(self.editor.sounding, self.catalogue.families(needed), corners)
        self._wanted.update(resolved.instruments)
        return list(resolved.warnings)

    def _instrument(self, corner: Corner) -> Future[PreparedInstrument]:
        name = self._wanted[corner]
        if name is not None:
            return self.loader.load(name)
        silence: Future[PreparedInstrument] = Future()
        silence.set_result(self._silence)
        return silence

    def _apply(
        self, loaded: Mapping[Corner, Future[PreparedInstrument]], turns: Mapping[Corner, int], parameters: set[str]
    ) -> None:
        """Everything is there: parameters have the values of now, and a corner that was changed again is left alone."""
        values = {name: self.editor.sounding.value(name) for name in parameters}
        corners = {}
        for corner, future in loaded.items():
            if turns[corner] != self._corner_turn[corner]:
                continue
            instrument = self._silence
            try:
                instrument = future.result()
            except TetradError as error:
                self.notify("warning", words=f"corner {corner.name} is silent: {error}")
                self._wanted[corner] = None
            corners[corner] = instrument

        def events(sample: int) -> list[Event]:
            return [
                *(SetCorner(sample, corner, instrument) for corner, instrument in corners.items()),
                *(SetParameter(sample, name, value) for name, value in values.items()),
            ]

        self.stage.run(events)
        for corner, instrument in corners.items():
            self._sounding[corner] = self._wanted[corner]
            self._held[corner] = None if instrument is self._silence else instrument
            self.notify("corner_changed", corner=corner.name.lower(), instrument=self._sounding[corner] or "silence")
        if corners:
            self.grid.follow(self._held)

    def _tell_midi(self) -> None:
        self.stage.set_midi(midi_settings(self.editor.sounding.midi))
        self.notify("midi_settings_changed")

    @property
    def tuning_name(self) -> str:
        """Of the tuning that sounds."""
        return tuning_of(self.editor.sounding.tuning).name


def _when_done(futures: Sequence[Future[Any]], callback: Callable[[], None]) -> None:
    """Call back when all are done, at once where they are."""
    left = len(futures)
    counting = threading.Lock()
    if left == 0:
        callback()

    def one_done(_: Future[Any]) -> None:
        nonlocal left
        with counting:
            left -= 1
            last = left == 0
        if last:
            callback()

    for future in futures:
        future.add_done_callback(one_done)
